"""Customers by trait and value (V13), merged over partitions, are a recount of all of them.

Whatever happens on the way: units and slices of any size, crashes, silence, new models.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.records.instants import DAY
from streamer.records.kafka import LTV_UPDATES
from streamer.records.partials import Key
from streamer.scoring.ideal.spreads import Spread, bucket_of
from streamer.scoring.lifetime import lifetimes
from streamer.serdes.partials import decode_partial
from tests.properties.test_programme import ALL, MODELLED, fates, play
from tests.support.cluster import Cluster
from tests.support.counting import finish, measures_of, shop_of
from tests.support.histories import CUSTOMERS, Happening, as_arrived, histories, sizes
from tests.support.schemas import validator

Counts = dict[Key, dict[int, int]]


@ALL
@given(histories(), sizes(), fates(MODELLED), st.integers(1, 3))
def test_the_shares_of_all_partitions_are_a_recount(
    history: list[Happening], units: list[int], steps: list[str], partitions: int
) -> None:
    cluster = play(history, units, steps, partitions)
    expected = recount(cluster, list(as_arrived(history)))
    assert merged(cluster) == expected
    for number in cluster.numbers:
        cluster.crash(number)
    finish(cluster)
    assert merged(cluster) == expected, "a new owner counts the same"


@settings(max_examples=30, deadline=None)
@given(histories(), sizes(), fates(MODELLED), st.integers(1, 3))
def test_a_profile_is_told_where_a_value_is_known(
    history: list[Happening], units: list[int], steps: list[str], partitions: int
) -> None:
    cluster = play(history, units, steps, partitions)
    measure = measures_of(shop_of(cluster)).get("profile:ideal")
    everyone = merged(cluster).get(("trait", "", ""), {})
    assert (measure is not None) == bool(everyone)
    if measure is not None:
        validator("programme-measure.json").validate(measure)
        assert measure["customers"] == sum(everyone.values())
        null = {name for name, value in measure.items() if value is None}
        assert measure["null_reasons"].keys() == null == {"top_customers", "top_value", "traits"}


@ALL
@given(histories(), sizes(), fates(MODELLED), st.integers(1, 3))
def test_values_are_said_to_be_all_there_when_the_last_is_counted(
    history: list[Happening], units: list[int], steps: list[str], partitions: int
) -> None:
    cluster = play(history, units, steps, partitions)
    rescoring = [cluster.partition(number).rescoring for number in cluster.numbers]
    assert shop_of(cluster).is_valued == (not any(rescoring))
    for number in cluster.numbers:
        cluster.step(number, 0, rescore_max=len(CUSTOMERS))
    assert not shop_of(cluster).is_valued or not any(rescoring), "they are to be counted yet"
    finish(cluster)
    assert shop_of(cluster).is_valued
    for number in cluster.numbers:
        generation = cluster.partition(number).scoring.generation
        rows = map(cluster.partition(number).row, cluster.partition(number).rows)
        assert {row.generation for row in rows if row and row.orders} <= {generation}


def merged(cluster: Cluster) -> Counts:
    shop = shop_of(cluster)
    found: dict[Key, Counter[int]] = defaultdict(Counter)
    for (key, partition), value in shop._values.items():
        if key[0] == "trait" and key in shop._in_force[partition]:
            found[key].update(decode_partial(value, Spread).customers)
    return {key: dict(counts) for key, counts in found.items()}


def recount(cluster: Cluster, events: Sequence[dict[str, Any]]) -> Counts:
    """Return what the wire and the events say of each customer whose value is known."""
    last = {one["customer_id"]: one for one in cluster.scores(LTV_UPDATES)}
    found: dict[Key, Counter[int]] = defaultdict(Counter)
    for number in cluster.numbers:
        partition = cluster.partition(number)
        for customer in partition.rows:
            row = partition.row(customer)
            if row is None or not row.orders or row.generation != partition.scoring.generation:
                continue
            (value,), (as_of,) = lifetimes([row], [partition.time], partition.scoring)
            if value is None:
                continue
            # Not the last update's: one caused by a new model is as of the partition's time.
            tenure = (as_of - row.first_purchase_at) / DAY
            bought = list(_purchases(events, customer))
            traits = {
                "first_category": _first_category(bought, set(row.categories)),
                "channel": last[customer].get("acquisition_channel") or "",
                "location": last[customer].get("location") or "",
                "rhythm": _rhythm({day for day, _ in bought}),
                "tenure": _tenure(tenure),
            }
            for key in [("", ""), *traits.items()]:
                found["trait", *key][bucket_of(value)] += 1
    return {key: dict(counts) for key, counts in found.items()}


def _purchases(
    events: Sequence[dict[str, Any]], customer: str
) -> Iterator[tuple[date, dict[str, Any]]]:
    for event in events:
        if event["customer_id"] == customer and event["type"] == "purchase":
            yield _day(event["occurred_at"]), event


def _day(text: str) -> date:
    return datetime.fromisoformat(text).astimezone(UTC).date()


def _first_category(bought: Sequence[tuple[date, dict[str, Any]]], kept: set[str]) -> str:
    lines = [
        (day, item["category"])
        for day, event in bought
        for item in event.get("items", ())
        if item.get("category") in kept
    ]
    return min(lines)[1] if lines else ""


def _rhythm(days: set[date]) -> str:
    if len(days) < 2:
        return ""
    gap = (max(days) - min(days)).days / (len(days) - 1)
    return next(
        (
            name
            for name, most in (("weekly", 10), ("monthly", 45), ("quarterly", 135))
            if gap <= most
        ),
        "rarely",
    )


def _tenure(days: float) -> str:
    limits = (("new", 30), ("first_year", 365), ("established", 1095))
    return next((name for name, end in limits if days < end), "veteran")
