"""Figures by hand."""

from datetime import UTC, datetime

import numpy as np

from streamer.records.events import Purchase, Refund
from streamer.records.instants import DAY, from_datetime
from streamer.records.money import UNIT
from streamer.scoring.programme.counting import AGE_MAX, changed
from streamer.scoring.programme.measures import REASONS, Figures, Measures, Month, measures_of
from streamer.scoring.programme.members import ALL, Member, member_of
from streamer.scoring.programme.months import first_month, months_of
from streamer.scoring.programme.tallies import Tally
from streamer.state.fold import fold
from streamer.state.row import Row

Bought = dict[str, int]


def day(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC)) // DAY


def customer(bought: Bought, *, value: int | None = None, groups: tuple[str, ...] = ()) -> Member:
    """Whoever bought for so many units on these days; a negative amount is a refund."""
    row = Row()
    for place, (text, units) in enumerate(bought.items()):
        at = day(text) * DAY
        if units < 0:
            fold(row, Refund(f"{place}", "c", at, "o", -units * UNIT), 0)
        else:
            fold(row, Purchase(f"{place}", "c", at, "o", units * UNIT, None), 0)
    member = member_of(row, None if value is None else value * UNIT, groups)
    assert member is not None
    return member


def measured(members: list[Member], today: str, group: str = ALL) -> Measures:
    since = first_month(day(today))
    tally = changed([(None, member) for member in members], since).groups.get(group, Tally())
    return measures_of(tally, int(months_of(np.array(day(today)))))


SHOP = [
    customer({"2026-01-05": 100, "2026-02-10": 50, "2026-03-01": 30}, value=400),
    customer({"2026-01-20": 60, "2026-01-25": -10}, groups=("channel:email",)),
    customer({"2026-01-31": 40, "2026-03-15": 20}, value=100, groups=("channel:email",)),
    customer({"2026-02-14": 80, "2026-03-14": 90}),
]


def test_the_whole_base_by_hand() -> None:
    found = measured(SHOP, "2026-03-20").figures
    assert (found.customers, found.repeat_customers, found.orders) == (4, 3, 8)
    assert found.repeat_purchase_rate == 3 / 4
    assert found.average_order_value == 57_500_000  # (470 − 10) ÷ 8
    assert found.clv == 250 * UNIT
    assert found.null_reasons == {}


def test_months_by_hand() -> None:
    """January: three buy. February: one of them again, and a new one. March: both, and another."""
    months = {month.month: month for month in measured(SHOP, "2026-03-20").months}
    assert list(months) == [f"2025-{n:02d}" for n in range(4, 13)] + [
        f"2026-0{n}" for n in (1, 2, 3)
    ]
    january, february, march = (months[f"2026-0{n}"] for n in (1, 2, 3))
    assert (january.customers, january.new_customers, january.retained_customers) == (3, 3, 0)
    assert january.retention_rate is january.churn_rate is None
    assert january.null_reasons["retention_rate"] == "nobody_before"
    assert january.revenue == 190 * UNIT
    assert january.average_order_value == 63_333_333
    assert (february.customers, february.new_customers, february.retained_customers) == (2, 1, 1)
    assert (february.retention_rate, february.churn_rate) == (1 / 3, 2 / 3)
    assert (march.customers, march.new_customers, march.retained_customers) == (3, 0, 2)
    assert (march.retention_rate, march.churn_rate) == (1, 0)
    assert [month.complete for month in (january, february, march)] == [True, True, False]


def test_cohorts_by_hand() -> None:
    cohorts = {one.cohort: one for one in measured(SHOP, "2026-03-20").cohorts}
    assert cohorts.keys() == {"2026-01", "2026-02"}
    january = cohorts["2026-01"]
    assert january.figures.customers == 3
    assert january.figures.repeat_purchase_rate == 2 / 3
    assert [month.customers for month in january.months] == [3, 1, 2]
    assert [month.new_customers for month in january.months] == [3, 0, 0]
    assert [month.retention_rate for month in january.months] == [None, 1 / 3, 1]
    assert [month.churn_rate for month in cohorts["2026-02"].months] == [None, 0]


def test_a_channel_by_hand() -> None:
    found = measured(SHOP, "2026-03-20", "channel:email")
    assert (found.figures.customers, found.figures.repeat_customers) == (2, 1)
    assert found.figures.average_order_value == 36_666_667  # 110 ÷ 3
    assert found.figures.clv == 100 * UNIT
    assert [month.retention_rate for month in found.months[-2:]] == [0, None]


def test_an_empty_group_is_null_with_reasons() -> None:
    found = measured(SHOP, "2026-03-20", "segment:nobody")
    assert found.figures.repeat_purchase_rate is found.figures.clv is None
    assert found.figures.null_reasons.keys() == {
        "repeat_purchase_rate",
        "average_order_value",
        "clv",
    }
    assert found.cohorts == []
    first, *later = found.months
    assert set(first.null_reasons.values()) == {"not_kept", "no_order"}
    assert all(set(month.null_reasons.values()) == {"nobody_before", "no_order"} for month in later)


def test_every_null_has_a_reason_and_no_figure_else() -> None:
    found = measured(SHOP[1:2], "2026-03-20")
    told: list[Figures | Month] = [found.figures, *found.months]
    told += [one.figures for one in found.cohorts]
    for record in told:
        nulls = {name for name in record.__struct_fields__ if getattr(record, name) is None}
        assert nulls == record.null_reasons.keys()
        assert set(record.null_reasons.values()) <= REASONS.keys()


def test_what_is_older_than_a_year_counts_in_its_cohort_only() -> None:
    old = customer({"2020-01-05": 100, "2026-03-01": 30})
    found = measured([old], "2026-03-20")
    assert found.months[-1].customers == 1
    assert found.months[-1].new_customers == 0
    (cohort,) = found.cohorts
    assert cohort.cohort == "2020-01"
    assert cohort.figures.repeat_purchase_rate == 1
    assert cohort.months == []  # more than AGE_MAX months ago
    assert AGE_MAX == 36
