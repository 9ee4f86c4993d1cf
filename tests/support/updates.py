"""Updates of one scoring with any figures, for what works on public fields."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from streamer.records.instants import from_datetime
from streamer.records.scores import SILENCE, ChurnRiskUpdate, LtvUpdate
from streamer.scoring.score import score
from streamer.state.row import Row
from tests.support.scoring import DEFAULT, scoring

Update = TypeVar("Update", LtvUpdate, ChurnRiskUpdate)

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)


def updates(customer_id: str = "ann", **figures: Any) -> tuple[LtvUpdate, ChurnRiskUpdate]:
    """Return the updates of a customer without any event, but for ``figures``.

    ``days_since_last_purchase`` stands for ``last_purchase_at``.
    """
    figures = {"as_of": AS_OF, **figures}
    days = figures.pop("days_since_last_purchase", None)
    if days is not None:
        figures["last_purchase_at"] = figures["as_of"] - timedelta(days=days)
    (value,), (risk,) = score([scoring(customer_id, Row(), from_datetime(AS_OF))], AS_OF, DEFAULT)
    unknown = figures.keys() - set(value.__struct_fields__) - set(risk.__struct_fields__)
    assert not unknown, f"no update has {unknown}"
    assert value.cause == SILENCE
    return _with(value, figures), _with(risk, figures)


def _with(update: Update, figures: dict[str, Any]) -> Update:
    fields = set(update.__struct_fields__) & figures.keys()
    return msgspec.structs.replace(update, **{name: figures[name] for name in fields})
