"""What somebody else wrote to the topic of referral messages is refused, not a crash."""

import pytest

from streamer.records.dead_letters import Rejected
from streamer.records.events import InternalEvent, ReferralProbe, ReferralRing
from streamer.serdes.rows import decode_internal, encode_internal

SENSELESS = [
    ReferralRing("e", "ann", (("bob", 1), ("cid", 2)), closed=True),
    ReferralRing("e", "ann", (("ann", 1),), closed=True),
    ReferralRing("e", "ann", (("ann", 1), ("bob", 1), ("bob", 2)), closed=False),
    ReferralProbe("e", "ann", ()),
    ReferralProbe("e", "ann", (("ann", 1),)),
    ReferralProbe("e", "ann", (("bob", 1), ("bob", 1))),
]
SOUND = [
    ReferralRing("e", "ann", (("ann", 1), ("bob", 2)), closed=True),
    ReferralProbe("e", "ann", (("bob", 1),)),
    ReferralProbe("e", "ann", (("ann", 1), ("bob", 1))),
]


@pytest.mark.parametrize("event", SENSELESS)
def test_a_senseless_message_is_refused(event: InternalEvent) -> None:
    with pytest.raises(Rejected, match="no message of streamer's own"):
        decode_internal(encode_internal(event))


@pytest.mark.parametrize("event", SOUND)
def test_a_message_is_read_as_it_was_written(event: InternalEvent) -> None:
    assert decode_internal(encode_internal(event)) == event
