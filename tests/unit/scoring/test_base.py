"""The rows' base on any day is what a file of the same events says of that day."""

import json
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from streamer.files.histories import histories_of
from streamer.files.occasions import occasions_of
from streamer.scoring.base import base_at, days_of
from streamer.scoring.time_unit import TimeUnit
from streamer.serdes.events import EventDecoder
from streamer.simulate import Refunds, Shop, simulate
from streamer.state.row import Row
from tests.support.cluster import Cluster
from tests.support.histories import configuration

START = datetime(2023, 1, 1, tzinfo=UTC)
LAST = date(2024, 11, 30)
EPOCH = date(1970, 1, 1)


def lines(*, refunds: bool) -> list[bytes]:
    rules = (Refunds(0.3),) if refunds else ()
    shop = Shop(customers=60, start=START, days=698, acquisition_days=400, follow_ups=rules)
    return [json.dumps(event).encode() for event in simulate(shop, seed=5)]


def rows_of(values: list[bytes]) -> dict[str, Row]:
    cluster = Cluster(configuration())
    for value in values:
        cluster.send(json.loads(value))
    cluster.settle(50)
    return cluster.rows()


@pytest.mark.parametrize("days_back", [0, 1, 30, 200, 364])
def test_a_base_of_the_past_is_that_of_the_file(days_back: int) -> None:
    values = lines(refunds=False)
    rows = rows_of(values)
    until = LAST - timedelta(days_back)
    end = until + timedelta(days_back // 2)
    occasions = occasions_of(values, EventDecoder())
    expected = histories_of(occasions, until, end, TimeUnit.DAY)
    base = base_at(days_of(list(rows.values())), (until - EPOCH).days, (end - EPOCH).days)
    known = [
        name for name, row in rows.items() if row.orders and row.first_day <= (until - EPOCH).days
    ]
    order = np.argsort(known), np.argsort(expected.customer_id.astype(str))
    for found, wanted in (
        (base.customers.x, expected.x),
        (base.customers.t_x, expected.t_x),
        (base.customers.T, expected.T),
        (base.purchases, expected.holdout_purchases),
        (base.mean_value, expected.mean_value),
    ):
        np.testing.assert_allclose(found[order[0]], wanted[order[1]], rtol=1e-12)


def test_refunds_lessen_the_mean_value_by_their_share() -> None:
    rows = [row for row in rows_of(lines(refunds=True)).values() if row.occasions > 1]
    today = (LAST - EPOCH).days
    base = base_at(days_of(rows), today, today)
    for row, value in zip(rows, base.mean_value.tolist(), strict=True):
        repeat = (row.revenue - row.first_day_revenue) / (row.occasions - 1) / 1e6
        kept = 1 - row.refunded / row.revenue
        assert value == pytest.approx(max(0.0, repeat * kept))


def test_nobody_has_purchased() -> None:
    base = base_at(days_of([Row()]), 20_000, 20_000)
    assert len(base.customers.x) == 0
