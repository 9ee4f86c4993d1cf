"""All measures of a batch of rows: the updates that the output topics carry."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from streamer.records.scores import Cause, ChurnRiskUpdate, LtvUpdate
from streamer.scoring.columns import columns_of, crossings_of
from streamer.scoring.occasion import occasions_of
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.rhythm import band_at
from streamer.scoring.risk import churn_risk_updates
from streamer.scoring.value import ltv_updates
from streamer.state.row import Row


class Scoring(NamedTuple):
    """A customer to be scored: its row, at which instant, and because of what."""

    customer_id: str
    row: Row
    as_of: int
    cause: Cause


def score(
    scorings: Sequence[Scoring], scored_at: datetime, parameters: ScoringParameters
) -> tuple[list[LtvUpdate], list[ChurnRiskUpdate]]:
    """Return the updates of ``scorings``, in their order.

    Many at once cost a fraction of as many single calls, and give the same.
    """
    customer_ids, rows, as_of, causes = zip(*scorings, strict=True)
    columns = columns_of(rows, as_of)
    row_crossings = crossings_of(rows, parameters)
    bands = band_at(row_crossings, columns.as_of)
    occasions = occasions_of(customer_ids, columns, bands, causes, scored_at)
    return (
        ltv_updates(columns, occasions, parameters),
        churn_risk_updates(columns, row_crossings, bands, occasions, parameters),
    )
