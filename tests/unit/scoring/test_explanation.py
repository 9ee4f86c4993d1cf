"""What moved a score: by hand, and that the parts add up to the change."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from streamer.pipeline import Configuration
from streamer.records.events import Purchase, Refund
from streamer.records.instants import DAY, from_datetime
from streamer.records.kafka import CHURN_RISK_UPDATES, LTV_UPDATES
from streamer.records.scores import MODEL, Cause, ChurnRiskUpdate, LtvUpdate
from streamer.scoring.columns import earlier_of
from streamer.scoring.models.gamma_gamma import GammaGamma
from streamer.scoring.models.histories import Histories
from streamer.scoring.models.mbg_nbd import MbgNbd
from streamer.scoring.parameters import ScoringParameters, with_model
from streamer.scoring.score import score
from streamer.serdes.events import EventDecoder
from streamer.state.fold import fold
from streamer.state.row import Row
from tests.support.cluster import Cluster
from tests.support.histories import RATES, START, Happening, histories, in_time
from tests.support.models import WEEK, model_params
from tests.support.scoring import scoring

DAY_0 = 20_000 * DAY
NOW = datetime(2030, 1, 1, tzinfo=UTC)
FAR = from_datetime(START) + 4000 * DAY
FITTED = with_model(ScoringParameters(discount_rate=0.0), model_params())
EVENT = Cause("event", "e", "purchase", "purchases", 0, 0)


def buys(row: Row, day: int, amount: int, cost: int | None = None) -> None:
    place = row.orders
    micros = None if cost is None else cost * 1_000_000
    fold(
        row,
        Purchase(f"e{place}", "c", DAY_0 + day * DAY, f"o{place}", amount * 1_000_000, micros),
        9999 * DAY,
    )


def told(
    row: Row, earlier: Any, shop: ScoringParameters = FITTED, as_of: int | None = None
) -> tuple[LtvUpdate, ChurnRiskUpdate]:
    asked = scoring("c", row, row.as_of if as_of is None else as_of, shop)
    if earlier is not None:
        asked = replace(asked, cause=EVENT, earlier=earlier)
    (value,), (risk,) = score([asked], NOW, shop)
    return value, risk


def expected(x: float, t_x: float, T: float) -> tuple[float, float]:
    """Return expected purchases and churn in a year, straight from the model."""
    model = MbgNbd(0.525, 6.183 * WEEK, 0.891, 1.614)
    history = Histories(*(np.array([figure], dtype=np.float64) for figure in (x, t_x, T)))
    return (
        float(model.expected_purchases(history, 365.0)[0]),
        float(model.no_purchase_probability(history, 365.0)[0]),
    )


def test_a_purchase_by_hand() -> None:
    """Silence of 5 days first; then a second purchase, which makes two figures move at once."""
    row = Row()
    buys(row, 0, 10)
    earlier = earlier_of(row)
    buys(row, 5, 50)
    value, risk = told(row, earlier)
    worth = GammaGamma(6.25, 3.74, 15.44).expected_value
    v0 = float(worth(np.array([0.0]), np.array([0.0]))[0])
    v1 = float(worth(np.array([1.0]), np.array([50.0]))[0])
    (e0, c0), (e1, c1), (e2, c2) = expected(0, 0, 0), expected(0, 0, 5), expected(1, 5, 5)
    by_hand = {
        "silence": (e1 - e0) * v0,
        "purchases": (e2 - e1) * (v0 + v1) / 2,
        "value": (v1 - v0) * (e1 + e2) / 2,
    }
    assert value.contributions is not None
    assert value.previous_predicted_clv == f"{e0 * v0:.2f}"
    found = {one.input: float(one.change) for one in value.contributions}
    assert found == pytest.approx(by_hand, abs=0.011)
    weights = [abs(float(one.change)) for one in value.contributions]
    assert weights == sorted(weights, reverse=True)
    assert risk.contributions is not None
    assert risk.previous_churn_probability == pytest.approx(c0, abs=1e-6)
    parts = {one.input: one.change for one in risk.contributions}
    assert parts == pytest.approx({"silence": c1 - c0, "purchases": c2 - c1}, abs=2e-6)
    assert value.explained_since == risk.explained_since
    assert value.reasons[0].startswith(f"predicted value {value.previous_predicted_clv} → ")
    assert value.reasons[0].count(" by ") == 3


def test_a_refund_moves_the_value_alone() -> None:
    row = Row()
    buys(row, 0, 40)
    buys(row, 30, 40)
    earlier = earlier_of(row)
    fold(row, Refund("r", "c", DAY_0 + 30 * DAY, "o1", 30_000_000), 9999 * DAY)
    value, risk = told(row, earlier)
    assert value.contributions is not None
    assert [one.input for one in value.contributions] == ["value"]
    assert float(value.contributions[0].change) < 0
    assert risk.contributions == ()
    assert risk.reasons[0].endswith("as it was")


def test_in_silence_there_is_nothing_but_silence() -> None:
    row = Row()
    buys(row, 0, 40)
    first, second, _ = scoring("c", row, 0, FITTED).crossings
    value, risk = told(row, None, as_of=second)
    assert value.explained_since == risk.explained_since
    assert risk.explained_since is not None
    assert from_datetime(risk.explained_since) == max(first, row.as_of)
    assert [one.input for one in risk.contributions or ()] == ["silence"]
    assert [one.input for one in value.contributions or ()] == ["silence"]


@pytest.mark.parametrize(
    ("bought_before", "cause", "reason"),
    [(False, EVENT, "nothing_before"), (True, MODEL, "new_model")],
)
def test_what_cannot_be_compared_says_so(bought_before: bool, cause: Cause, reason: str) -> None:
    row = Row()
    earlier = earlier_of(row) if not bought_before else None
    buys(row, 0, 40)
    asked = replace(scoring("c", row, row.as_of, FITTED), cause=cause, earlier=earlier)
    (value,), (risk,) = score([asked], NOW, FITTED)
    for update in (value, risk):
        assert update.contributions is None
        assert reason in bytes(update.null_reasons).decode()


def test_by_formula_there_is_no_predicted_value_to_explain() -> None:
    row = Row()
    buys(row, 0, 40)
    earlier = earlier_of(row)
    buys(row, 9, 40)
    value, risk = told(row, earlier, ScoringParameters())
    assert value.contributions is None
    assert b'"explanation":"no_model"' in bytes(value.null_reasons)
    assert risk.contributions


@settings(max_examples=60, deadline=None)
@given(histories(referrals=0), st.booleans())
def test_the_parts_add_up_to_the_change_since_the_score_before(
    history: list[Happening], fitted: bool
) -> None:
    """A subscriber's view: each update beside the one before it, to the last digit."""
    shop = FITTED if fitted else ScoringParameters()
    cluster = Cluster(Configuration(EventDecoder("USD", RATES), shop, every_event=True))
    for event in in_time(history):
        cluster.send(event)
        cluster.settle()
    cluster.tell_silence(FAR)
    for topic, figure, digits in (
        (LTV_UPDATES, "predicted_clv", 2),
        (CHURN_RISK_UPDATES, "churn_probability", 6),
    ):
        last: dict[str, dict[str, Any]] = {}
        for update in cluster.scores(topic):
            before = last.get(update["customer_id"])
            last[update["customer_id"]] = update
            if update["contributions"] is None:
                assert before is None or before[figure] is None or not fitted
                continue
            assert before is not None
            assert update["explained_since"] == before["as_of"]
            was = Decimal(str(update[f"previous_{figure}"]))
            assert was == round(Decimal(str(before[figure])), digits)
            parts = sum(Decimal(str(one["change"])) for one in update["contributions"])
            assert was + parts == round(Decimal(str(update[figure])), digits)
