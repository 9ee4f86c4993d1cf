import json
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamer.files import FileError, cdnow_sample
from streamer.files.histories import (
    HistoriesError,
    PurchaseHistories,
    histories_of,
    read_histories,
)
from streamer.files.occasions import occasions_of, read_occasions
from streamer.scoring.time_unit import TimeUnit
from streamer.serdes.events import EventDecoder

END, LAST = date(2026, 1, 31), date(2026, 2, 28)

PURCHASES = """customer,date,amount
ann,2026-01-02,10
bob,2026-01-31T23:59:59Z,7
ann,2026-01-09,20
ann,2026-01-09T18:00:00Z,1.50
ann,2026-01-30,4
cid,2026-02-01,99
ann,2026-02-10,8
ann,2026-02-28,2
bob,2026-03-01,1
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "purchases.csv"
    path.write_text(PURCHASES)
    return str(path)


def by_name(found: PurchaseHistories, figure: str) -> dict[str, Any]:
    names: list[str] = found.customer_id.tolist()
    return dict(zip(names, getattr(found, figure).tolist(), strict=True))


def event(customer: str, day: int, amount: str = "5.00", **fields: Any) -> bytes:
    purchase = {
        "event_id": f"{customer}{day}{amount}",
        "type": "purchase",
        "customer_id": customer,
        "occurred_at": f"2026-01-{day:02}T10:00:00Z",
        "order_id": "o",
        "amount": amount,
        "currency": "USD",
    }
    return json.dumps(purchase | fields).encode()


def test_a_day_with_purchases_is_one_occasion(file: str) -> None:
    found = read_histories(file, END, LAST, TimeUnit.DAY)
    assert by_name(found, "x") == {"ann": 2, "bob": 0}
    assert by_name(found, "t_x") == {"ann": 28, "bob": 0}
    assert by_name(found, "T") == {"ann": 29, "bob": 0}


def test_the_first_occasion_has_no_say_in_the_mean_value(file: str) -> None:
    found = read_histories(file, END, LAST, TimeUnit.DAY)
    assert by_name(found, "mean_value") == {"ann": (20 + 1.5 + 4) / 2, "bob": 0}


def test_the_holdout_is_of_known_customers_and_up_to_its_end(file: str) -> None:
    found = read_histories(file, END, LAST, TimeUnit.WEEK)
    assert by_name(found, "holdout_purchases") == {"ann": 2, "bob": 0}
    assert by_name(found, "holdout_value") == {"ann": 10, "bob": 0}
    assert found.horizon == 4
    repeats = {day: count for day, count in enumerate(found.repeats_by_day) if count}
    assert found.first_day == date(2026, 1, 2)
    assert repeats == {7: 1, 28: 1, 39: 1, 57: 1}
    assert len(found.repeats_by_day) == (LAST - found.first_day).days + 1


@pytest.mark.parametrize(
    ("unit", "days"), [("hour", 1 / 24), ("week", 7), ("month", 30.4375), ("year", 365.25)]
)
def test_times_are_in_the_chosen_unit(file: str, unit: str, days: float) -> None:
    found = read_histories(file, END, LAST, TimeUnit(unit))
    assert by_name(found, "t_x")["ann"] == pytest.approx(28 / days)
    assert by_name(found, "T")["ann"] == pytest.approx(29 / days)
    assert found.horizon == pytest.approx(28 / days)


def test_by_default_all_is_calibration(file: str) -> None:
    found = read_histories(file)
    assert (found.calibration_end, found.holdout_end) == (date(2026, 3, 1), date(2026, 3, 1))
    assert by_name(found, "x") == {"ann": 4, "bob": 1, "cid": 0}
    assert found.horizon == found.holdout_purchases.sum() == 0


def test_events_count_once_and_refunds_not_at_all() -> None:
    values = [
        event("ann", 9),
        event("ann", 2),
        event("ann", 9),
        event("bob", 3, event_id="ann95.00"),
        event("ann", 20, type="refund", refund_id="r"),
        event("ann", 21, type="rating", rating=5),
    ]
    found = histories_of(occasions_of(values, EventDecoder()), unit=TimeUnit.DAY)
    assert by_name(found, "x") == {"ann": 1, "bob": 0}
    assert by_name(found, "mean_value") == {"ann": 5, "bob": 0}
    assert by_name(found, "T") == {"ann": 7, "bob": 6}
    assert found.refused == {}


def test_what_would_be_a_dead_letter_is_counted_by_reason() -> None:
    values = [
        event("ann", 1),
        event("ann", 2, "-5.00"),
        event("ann", 3, currency="EUR"),
        b"{",
        event("", 4),
    ]
    found = histories_of(occasions_of(values, EventDecoder()))
    assert by_name(found, "x") == {"ann": 0}
    assert found.refused == {"invalid": 2, "unknown_currency": 1, "malformed": 1}


def test_a_row_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "purchases.csv"
    path.write_text(PURCHASES.replace("2026-02-10", "10.2.2026"))
    with pytest.raises(FileError, match=r"line 8: cannot read '10\.2\.2026' as date"):
        read_histories(str(path))


def test_the_order_of_events_does_not_matter() -> None:
    values = [event(name, day) for name in "abc" for day in (3, 9, 1, 28)]
    rng = np.random.default_rng(2)
    expected = histories_of(occasions_of(values, EventDecoder()), date(2026, 1, 10), END)
    for _ in range(5):
        shuffled = [values[place] for place in rng.permutation(len(values))]
        found = histories_of(occasions_of(shuffled, EventDecoder()), date(2026, 1, 10), END)
        for figure in ("x", "t_x", "T", "mean_value", "holdout_purchases", "holdout_value"):
            assert by_name(found, figure) == by_name(expected, figure)


def test_a_file_of_which_nothing_counts_says_why(tmp_path: Path) -> None:
    euros = tmp_path / "euros.csv"
    euros.write_text("customer_id,date,amount,currency\na,2024-01-01,10,EUR\nb,2024-02-01,9,EUR\n")
    with pytest.raises(FileError, match=r"refused: 2 unknown_currency; set STREAMER_REPORTING_CUR"):
        read_histories(str(euros), date(2024, 3, 1))
    assert read_histories(str(euros), decoder=EventDecoder("EUR")).customer_id.size == 2
    shares = tmp_path / "shares.jsonl"
    shares.write_text('{"event_id":"1","type":"share","customer_id":"a","network":"mail",'
                      '"occurred_at":"2026-01-31T00:00:00Z"}\n')  # fmt: skip
    with pytest.raises(FileError, match=r"shares\.jsonl: there is no purchase in it"):
        read_histories(str(shares))


def test_no_purchase_in_the_calibration_is_an_error_with_a_way_out(file: str) -> None:
    with pytest.raises(HistoriesError, match="up to 2025-12-31: choose a later end"):
        read_histories(file, date(2025, 12, 31))
    with pytest.raises(HistoriesError, match="choose a later holdout end"):
        read_histories(file, END, date(2026, 1, 30))
    with pytest.raises(HistoriesError, match="no purchase"):
        histories_of(occasions_of([], EventDecoder()))


def test_cdnow_has_the_published_counts_and_the_sums_of_its_lines() -> None:
    occasions = read_occasions(str(cdnow_sample()))
    found = histories_of(occasions, date(1997, 9, 30), date(1998, 6, 30))
    repeaters = found.x > 0
    assert (len(found.x), repeaters.sum(), found.holdout_purchases.sum()) == (2357, 946, 1882)
    assert (found.horizon, found.T.max()) == (39, 272 / 7)
    # Fader & Hardie, note 025, have 35.08 for the mean of these means.
    assert found.mean_value[repeaters].mean() == pytest.approx(35.08, abs=0.005)
    days: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for line in cdnow_sample().read_text().splitlines():
        customer, _, day, _, amount = line.split()
        days[customer][day] += float(amount)
    assert by_name(found, "x") == {
        customer: sum(day <= "19970930" for day in of) - 1 for customer, of in days.items()
    }
    assert by_name(found, "holdout_value") == pytest.approx(
        {
            customer: sum(amount for day, amount in of.items() if day > "19970930")
            for customer, of in days.items()
        }
    )
