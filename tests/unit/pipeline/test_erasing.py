"""Who is erased goes from the rows of others too: a chain of referrals, link by link."""

from datetime import timedelta
from typing import Any

import pytest

from streamer.records.events import ReferralCredit
from streamer.records.instants import from_datetime
from streamer.records.kafka import REFERRAL_CREDITS
from streamer.scoring.referrals import levels_of
from streamer.serdes.rows import encode_internal
from tests.support.cluster import Cluster
from tests.support.histories import START, configuration
from tests.support.play import play

Event = dict[str, Any]


def event(day: int, kind: str, customer: str, **fields: Any) -> Event:
    at = (START + timedelta(day)).isoformat()
    return {
        "event_id": f"{kind}-{customer}-{day}",
        "type": kind,
        "customer_id": customer,
        "occurred_at": at,
        **fields,
    }


def purchase(day: int, customer: str) -> Event:
    return event(day, "purchase", customer, order_id=f"o{day}", amount="10", currency="USD")


def referral(day: int, customer: str, named: str) -> Event:
    return event(day, "referral", customer, referred_customer_id=named)


CHAIN = [
    referral(1, "ann", "bob"),
    referral(2, "bob", "cy"),
    referral(3, "dan", "cy"),
    purchase(4, "ann"),
    purchase(5, "bob"),
    purchase(6, "cy"),
]


def played(*events: Event, partitions: int = 2) -> Cluster:
    return play(events, configuration(partitions=partitions))


def credited(cluster: Cluster, customer: str) -> list[tuple[int, int]]:
    """Return customers and currency units of each level of a customer's chain."""
    row = cluster.rows()[customer]
    return [(customers, micros // 10**6) for customers, micros in levels_of(row)]


def test_the_chain_is_as_it_should_be_before() -> None:
    cluster = played(*CHAIN)
    assert credited(cluster, "ann")[:2] == [(1, 10), (1, 10)]
    assert credited(cluster, "bob")[:1] == [(1, 10)]
    assert cluster.rows()["dan"].referrals_lost == 1


def test_credit_is_taken_back_on_every_level() -> None:
    cluster = played(*CHAIN, event(9, "erasure", "bob"))
    assert "bob" not in cluster.rows()
    assert not any(customers or value for customers, value in credited(cluster, "ann"))
    assert credited(cluster, "dan")[:1] == [(1, 10)], "he named her next"
    assert cluster.rows()["dan"].referrals_lost == 0
    assert cluster.rows()["cy"].referrer == "dan"
    assert cluster.last_scores()["ltv-updates", "cy"]["referred_by"] == "dan"


def test_who_was_named_by_nobody_else_was_brought_by_nobody() -> None:
    cluster = played(*CHAIN, event(9, "erasure", "ann"))
    bob = cluster.last_scores()["ltv-updates", "bob"]
    assert (bob["referred_by"], bob.null_reason("referred_by")) == (None, "not_referred")
    assert credited(cluster, "bob")[:1] == [(1, 10)]


@pytest.mark.parametrize("first", ["ann", "bob", "cy"])
@pytest.mark.parametrize("second", ["ann", "bob", "cy"])
def test_erasing_again_and_others_changes_nothing_else(first: str, second: str) -> None:
    cluster = played(*CHAIN, event(9, "erasure", first), event(10, "erasure", second))
    assert cluster.rows().keys() == {"ann", "bob", "cy", "dan"} - {first, second}
    repeated = played(*CHAIN, *[event(9, "erasure", one) for one in (first, second) * 2])
    assert cluster.rows().keys() == repeated.rows().keys()


def test_a_credit_on_its_way_does_not_bring_the_erased_back() -> None:
    cluster = played(*CHAIN, event(9, "erasure", "bob"), partitions=1)
    before, after = from_datetime(START + timedelta(2)), from_datetime(START + timedelta(11))
    for referred_at, there in ((-1, False), (before, False), (after, True)):
        late = ReferralCredit("e", "bob", after, "cy", 7, 1, 1, 1, referred_at=referred_at)
        cluster.produce(REFERRAL_CREDITS, 0, encode_internal(late), b"bob")
        cluster.settle()
        assert ("bob" in cluster.rows()) == there
    assert cluster.counts["erased"] == 2


def test_what_was_read_before_goes_even_if_it_happened_after() -> None:
    cluster = played(*CHAIN, event(3, "erasure", "bob"))
    assert "bob" not in cluster.rows()
    assert cluster.rows()["cy"].referrer == "dan"
    cluster.send(purchase(5, "bob") | {"event_id": "again"})
    cluster.send(purchase(6, "bob"))
    cluster.settle()
    assert cluster.rows()["bob"].orders == 1, "what is newer than all that went is of a new one"


def test_who_comes_back_may_name_somebody_anew() -> None:
    cluster = played(
        *CHAIN, event(9, "erasure", "bob"), referral(10, "bob", "eve"), purchase(11, "eve")
    )
    assert credited(cluster, "bob")[:1] == [(1, 10)]
    assert cluster.rows()["eve"].referrer == "bob"
