import importlib.util
from types import ModuleType
from typing import Any

import numpy as np
import orjson
import pytest

from benchmarks.contenders.environment import PEERS
from benchmarks.shop import HORIZON_DAYS, PURCHASES, VALUES
from streamer.scoring.models.histories import histories
from streamer.scoring.models.mbg_nbd import MbgNbd

DAY = 86_400.0


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """What the applications share, under our model."""
    numbers = *PURCHASES.values(), *VALUES.values(), HORIZON_DAYS
    monkeypatch.setenv("PEER_MODEL", " ".join(map(repr, numbers)))
    spec = importlib.util.spec_from_file_location("peer_scores", PEERS / "scores.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def scores_of(peers: ModuleType, *purchases: dict[str, Any]) -> tuple[Any, Any]:
    """Return the row and the last scores; the row is kept as JSON, as Quix keeps it."""
    row = scores = None
    for purchase in purchases:
        row = orjson.loads(orjson.dumps(peers.fold(purchase, row)))
        scores = peers.scores(row, purchase)
    return row, scores


def purchase(number: int, at: str, amount: str) -> dict[str, Any]:
    return {"event_id": f"e{number}", "customer_id": "anna", "occurred_at": at, "amount": amount}


def test_a_customer_is_scored_as_our_model_scores(peers: ModuleType) -> None:
    _, scores = scores_of(
        peers,
        purchase(1, "2026-01-01T12:00:00.000Z", "30.00"),
        purchase(2, "2026-01-01T13:00:00.000Z", "10.00"),
        purchase(3, "2026-02-10T12:00:00.000Z", "50.00"),
    )
    ours, customer = MbgNbd(**PURCHASES), histories(x=[1], t_x=[40], T=40)
    expected = ours.expected_purchases(customer, HORIZON_DAYS)
    alive, churn = (
        ours.probability_alive(customer),
        ours.no_purchase_probability(customer, HORIZON_DAYS),
    )
    np.testing.assert_allclose(scores["ltv"]["expected_orders"], expected, rtol=1e-9)
    np.testing.assert_allclose(scores["churn_risk"]["probability_alive"], alive, rtol=1e-9)
    np.testing.assert_allclose(scores["churn_risk"]["churn_probability"], churn, rtol=1e-9)
    value = 6.25 * (15.44 + 50) / (6.25 + 3.74 - 1)
    assert float(scores["ltv"]["predicted_clv"]) == pytest.approx(expected[0] * value, abs=0.01)
    assert scores["ltv"]["historic_clv"] == "90.00"
    assert scores["ltv"]["windows"] == {
        "7": {"orders": 1, "revenue": "50.00"},
        "30": {"orders": 1, "revenue": "50.00"},
        "90": {"orders": 3, "revenue": "90.00"},
        "365": {"orders": 3, "revenue": "90.00"},
    }
    assert scores["ltv"]["cause"]["id"] == "e3"


def test_days_beyond_a_year_are_forgotten(peers: ModuleType) -> None:
    row, scores = scores_of(
        peers,
        purchase(1, "2024-01-01T12:00:00.000Z", "30.00"),
        purchase(2, "2026-02-10T12:00:00.000Z", "50.00"),
    )
    assert len(row["days"]) == 1
    assert scores["ltv"]["orders"] == 2


@pytest.mark.parametrize("peer", ["quix", "bytewax"])
def test_the_lock_is_of_the_version_asked_for(peer: str) -> None:
    wanted = (PEERS / f"{peer}.in").read_text().splitlines()[0]
    assert f"{wanted} " in (PEERS / f"{peer}.lock").read_text()
