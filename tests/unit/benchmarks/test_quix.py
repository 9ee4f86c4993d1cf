import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import orjson
import pytest

from benchmarks.contenders.quix import APP
from benchmarks.contenders.quix.environment import LOCK
from benchmarks.shop import HORIZON_DAYS, PURCHASES, VALUES
from streamer.scoring.models.histories import histories
from streamer.scoring.models.mbg_nbd import MbgNbd

DAY = 86_400.0


class State(dict[str, Any]):
    """A state store that keeps JSON, as Quix's does."""

    def get(self, key: str, default: Any = None) -> Any:
        return orjson.loads(super().get(key, orjson.dumps(default)))

    def set(self, key: str, value: Any) -> None:
        self[key] = orjson.dumps(value)


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The application, without Quix Streams, which lives in an environment of its own."""
    quix = SimpleNamespace(Application=None, State=None)
    monkeypatch.setitem(sys.modules, "quixstreams", quix)
    models = SimpleNamespace(Serializer=object)
    monkeypatch.setitem(sys.modules, "quixstreams.models", models)
    numbers = *PURCHASES.values(), *VALUES.values(), HORIZON_DAYS
    monkeypatch.setenv("PEER_MODEL", " ".join(map(repr, numbers)))
    monkeypatch.setenv("PEER_PORT", "0")
    monkeypatch.setenv("PEER_PROCESSES", "1")
    spec = importlib.util.spec_from_file_location("quix_app", APP)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def purchase(number: int, at: str, amount: str) -> dict[str, Any]:
    return {"event_id": f"e{number}", "customer_id": "anna", "occurred_at": at, "amount": amount}


def test_a_customer_is_scored_as_our_model_scores(app: ModuleType) -> None:
    state = State()
    app.score(purchase(1, "2026-01-01T12:00:00.000Z", "30.00"), state)
    app.score(purchase(2, "2026-01-01T13:00:00.000Z", "10.00"), state)
    scores = app.score(purchase(3, "2026-02-10T12:00:00.000Z", "50.00"), state)
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
    assert orjson.loads(app.Score("ltv")(scores, None))["cause"]["id"] == "e3"


def test_days_beyond_a_year_are_forgotten(app: ModuleType) -> None:
    state = State()
    app.score(purchase(1, "2024-01-01T12:00:00.000Z", "30.00"), state)
    scores = app.score(purchase(2, "2026-02-10T12:00:00.000Z", "50.00"), state)
    assert len(state.get("row")["days"]) == 1
    assert scores["ltv"]["orders"] == 2


def test_the_lock_is_of_the_version_asked_for() -> None:
    wanted = Path(LOCK).with_name("requirements.in").read_text().splitlines()[0]
    assert f"{wanted} " in LOCK.read_text()
