"""The index against a look at every customer by the pipeline's own scores."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from streamer.pipeline import Configuration
from streamer.pipeline.index import Wanted
from streamer.records.instants import DAY
from streamer.records.kafka import CHURN_RISK_UPDATES, LTV_UPDATES
from streamer.records.scores import RISK_BANDS
from streamer.scoring.segments import split
from streamer.serdes.rows import decode_told
from streamer.settings import Settings
from tests.support.cluster import Cluster

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
CUSTOMERS = 300


def purchase(number: int, day: float, amount: float) -> dict[str, Any]:
    return {
        "event_id": f"e{number}-{day}",
        "type": "purchase",
        "customer_id": f"c{number}",
        "occurred_at": (BEGIN + timedelta(days=day)).isoformat(),
        "order_id": f"o{number}-{day}",
        "amount": f"{amount:.2f}",
        "currency": "USD",
    }


def newcomers(configuration: Configuration, customers: int) -> Cluster:
    """Return a cluster of customers of one purchase, each worth more than the one before."""
    cluster = Cluster(configuration)
    for number in range(customers):
        cluster.send(purchase(number, 0, 10 + number))
    cluster.settle()
    cluster.partition(0).count(customers)
    return cluster


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    tiers = {"bronze": 0, "silver": 200}
    return Settings(partitions=1, loyalty_tiers=tiers).configuration(indexed=True)


@pytest.fixture(scope="module")
def cluster(configuration: Configuration) -> Cluster:
    """Customers of all bands, many of them with the same money at stake."""
    cluster = Cluster(configuration)
    for number in range(CUSTOMERS):
        for order in range(1 + number % 4):
            cluster.send(purchase(number, number % 28 * 8 + 11 * order, 10 + number % 7 * 30))
    cluster.send(purchase(CUSTOMERS, 265, 50))  # time passes for all
    cluster.settle(limit=50)
    cluster.partition(0).count(10_000)
    return cluster


def expected(cluster: Cluster) -> dict[str, dict[str, Any]]:
    last = cluster.last_scores()
    told = cluster.partition(0).told
    return {
        customer: {
            **score,
            "risk_band": last[CHURN_RISK_UPDATES, customer]["risk_band"],
            "segments": split(decode_told(told[customer]).segments),
        }
        for (topic, customer), score in last.items()
        if topic == LTV_UPDATES
    }


def all_pages(cluster: Cluster, limit: int, **wanted: Any) -> tuple[int, list[tuple[int, str]]]:
    """Return how many there are, and all, page after page."""
    index = cluster.partition(0).index
    assert index is not None
    found, after, total = list[tuple[int, str]](), None, -1
    while True:
        total, page = index.find(Wanted(limit=limit, after=after, **wanted))
        found += [(one.place[0], one.customer_id) for one in page]
        if len(page) < limit:
            return total, found
        after = page[-1].place


@pytest.mark.parametrize("limit", [1, 7, 100, 1000])
def test_pages_hold_everyone_once_the_most_at_stake_first(cluster: Cluster, limit: int) -> None:
    total, found = all_pages(cluster, limit)
    assert total == len(found) == CUSTOMERS + 1
    assert {customer for _, customer in found} == set(cluster.partition(0).rows)
    stakes = [stake for stake, _ in found]
    assert stakes == sorted(stakes, reverse=True)
    assert len(set(stakes)) < len(stakes) / 2  # so ties are met at the ends of pages


@pytest.mark.parametrize("band", RISK_BANDS)
def test_a_band_s_customers_are_those_told_to_be_in_it(cluster: Cluster, band: str) -> None:
    _, found = all_pages(cluster, 40, risk_band=band)
    of_band = {c for c, score in expected(cluster).items() if score["risk_band"] == band}
    assert {customer for _, customer in found} == of_band
    assert of_band


def test_segment_tier_and_band_together(cluster: Cluster) -> None:
    wanted = {"segment": "repeat_buyers", "tier": "silver", "risk_band": "lapsed"}
    total, found = all_pages(cluster, 9, **wanted)
    both = {
        customer
        for customer, score in expected(cluster).items()
        if score["loyalty_tier"] == "silver"
        and score["risk_band"] == "lapsed"
        and "repeat_buyers" in score["segments"]
    }
    assert {customer for _, customer in found} == both
    assert total == len(both) > 0


def test_by_formula_a_year_s_revenue_times_churn_is_at_stake(cluster: Cluster) -> None:
    stakes = {customer: stake for stake, customer in all_pages(cluster, 500)[1]}
    partition = cluster.partition(0)
    row = partition.row("c3")
    assert row is not None
    days = (partition.time - row.first_purchase_at) / 86_400_000_000
    # The rhythm's prior, one purchase in 60 days: P(none) = ((60 + T) / (60 + T + 365))^(1 + x).
    churn = ((60 + days) / (60 + days + 365)) ** (1 + 3)
    assert stakes["c3"] == pytest.approx(4 * 100_000_000 * churn, abs=1)


def test_totals_are_sums_over_all(cluster: Cluster) -> None:
    index = cluster.partition(0).index
    assert index is not None
    (totals,), scores = index.totals(), expected(cluster)
    assert totals.customers == CUSTOMERS + 1
    worth = sum(float(score["historic_clv"]) for score in scores.values())
    assert totals.historic / 1_000_000 == pytest.approx(worth)
    for band in RISK_BANDS:
        count = sum(score["risk_band"] == band for score in scores.values())
        assert totals.bands[band].customers == count
    assert sum(totals.worth) == CUSTOMERS + 1
    assert sum(totals.tiers.values()) == CUSTOMERS + 1


def test_a_customer_found_again_after_a_change_stands_where_it_belongs(
    configuration: Configuration,
) -> None:
    cluster = newcomers(configuration, 5)
    assert all_pages(cluster, 10)[1][0][1] == "c4"
    cluster.send(purchase(0, 1, 500))
    cluster.settle()
    cluster.partition(0).count(10)
    total, found = all_pages(cluster, 10)
    assert total == 5
    assert found[0][1] == "c0"


def test_silence_makes_figures_stale_and_renewing_takes_them_to_the_day(
    configuration: Configuration,
) -> None:
    cluster = newcomers(configuration, 30)
    partition = cluster.partition(0)
    before = dict(all_pages(cluster, 100)[1])
    assert partition.renew(100) == 0
    cluster.tell_silence(partition.time + 20 * 86_400_000_000)
    assert partition.renew(20) == 20
    assert partition.renew(20) == 10
    assert partition.renew(20) == 0
    after = dict(all_pages(cluster, 100)[1])
    # By formula the last year's revenue counts with the churn probability, which has risen.
    assert all(new > old for new, old in zip(after, before, strict=True))


def test_all_are_renewed_in_turn_where_days_pass_faster(configuration: Configuration) -> None:
    cluster = newcomers(configuration, 30)
    partition = cluster.partition(0)
    index, found = partition.index, Counter[str]()
    assert index is not None
    for _ in range(6):
        cluster.tell_silence(partition.time + DAY)
        found.update(index.stale(partition.time, 20))
    assert set(found.values()) == {4}, "six times 20 are four times 30"
