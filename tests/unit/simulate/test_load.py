from collections import Counter

import pytest

from streamer.records.events import Purchase
from streamer.serdes.events import EventDecoder
from streamer.simulate import SimulationError, uniform_purchases

DAY = 86_400_000_000


def decoded(values: list[bytes]) -> list[Purchase]:
    events = [EventDecoder().decode(value) for value in values]
    return [event for event in events if isinstance(event, Purchase)]


def test_values_are_purchases_of_the_promised_size() -> None:
    values = list(uniform_purchases(20_000, 500_000, seed=1))
    assert all(165 <= len(value) <= 175 for value in values)
    purchases = decoded(values)
    assert len({purchase.event_id for purchase in purchases}) == 20_000
    assert len({purchase.order_id for purchase in purchases}) == 20_000
    assert min(purchase.amount for purchase in purchases) >= 1_000_000


@pytest.mark.parametrize("days", [0.5, 30.0])
def test_event_time_rises_evenly_over_the_days(days: float) -> None:
    instants = [p.occurred_at for p in decoded(list(uniform_purchases(20_000, 10, 1, days=days)))]
    assert instants == sorted(instants)
    assert instants[-1] - instants[0] == pytest.approx(days * DAY, rel=1e-4)


def test_customers_are_equally_likely() -> None:
    counts = Counter(p.customer_id for p in decoded(list(uniform_purchases(50_000, 50, seed=2))))
    assert len(counts) == 50
    # Chi-squared with 49 degrees of freedom: mean 49, variance 98.
    statistic = sum((count - 1000) ** 2 / 1000 for count in counts.values())
    assert abs(statistic - 49) < 4 * 98**0.5


@pytest.mark.parametrize("skew", [0.8, 1.0, 1.5])
def test_skewed_customers_follow_zipf(skew: float) -> None:
    events, customers = 50_000, 1000
    values = list(uniform_purchases(events, customers, seed=3, skew=skew))
    counts = Counter(purchase.customer_id for purchase in decoded(values))
    weights = [rank**-skew for rank in range(1, customers + 1)]
    for rank in (1, 2, 10):
        share = weights[rank - 1] / sum(weights)
        drawn = counts[f"c{rank - 1:07d}"]
        assert abs(drawn - events * share) < 4 * (events * share * (1 - share)) ** 0.5


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert list(uniform_purchases(100, 9, 1)) == list(uniform_purchases(100, 9, 1))
    assert list(uniform_purchases(100, 9, 1)) != list(uniform_purchases(100, 9, 2))
    assert list(uniform_purchases(0, 9, 1)) == []


@pytest.mark.parametrize(
    ("events", "customers", "skew", "name"),
    [(-1, 1, 0.0, "events"), (1, 0, 0.0, "customers"), (1, 1, -0.5, "skew")],
)
def test_impossible_loads_are_named(events: int, customers: int, skew: float, name: str) -> None:
    with pytest.raises(SimulationError, match=name):
        list(uniform_purchases(events, customers, 1, skew=skew))
