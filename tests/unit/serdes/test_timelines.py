"""What is decoded of a row in a recovery is what the whole row says."""

from operator import attrgetter

import msgspec
import pytest

from streamer.records.instants import NEVER
from streamer.scoring.bands import crossings_of
from streamer.scoring.parameters import ScoringParameters
from streamer.serdes.rows import UnreadableRowError, decode_row, decode_timeline, encode_row
from streamer.state.engagement import Engagement
from streamer.state.row import Row
from tests.support.greedy import greedy_row

BOUGHT = Row(
    applied=[7, -1, 3, -1, -1],
    events_seen=3,
    watermarks=[5_000, NEVER, 9_000],
    recent={1: 2, 3: 4},
    orders=2,
    first_purchase_at=1_000,
    last_purchase_at=5_000,
    previous_purchase_at=1_000,
    occasions=2,
    days=[1, 2, 3, 4],
    engagement=Engagement(),
    paid_at=12_000,
    open_orders=[1, 2, 3, 4],
)
CREDITED = Row(changes=1, credited_at=8_000)
ROWS = [Row(), CREDITED, BOUGHT, decode_row(greedy_row(5))]
SEEN = attrgetter(
    "as_of", "first_purchase_at", "last_purchase_at", "previous_purchase_at", "occasions"
)


@pytest.mark.parametrize("row", ROWS)
def test_a_timeline_says_what_the_row_says(row: Row) -> None:
    value = encode_row(row)
    timeline = decode_timeline(value)
    assert SEEN(timeline) == SEEN(decode_row(value))
    crossings = crossings_of([row], ScoringParameters()).tolist()
    assert crossings_of([timeline], ScoringParameters()).tolist() == crossings


@pytest.mark.parametrize("fields", [0, 5, 20])
def test_an_older_row_has_its_defaults(fields: int) -> None:
    value = encode_row(Row())
    older = value[:1] + msgspec.msgpack.encode(msgspec.msgpack.decode(value[1:])[:fields])
    assert SEEN(decode_timeline(older)) == SEEN(Row())


def test_what_is_no_row_is_named() -> None:
    with pytest.raises(UnreadableRowError):
        decode_timeline(b"\x01\xc1")
    with pytest.raises(UnreadableRowError):
        decode_timeline(b"\x02\x90")
