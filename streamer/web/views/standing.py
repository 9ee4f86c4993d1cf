"""Customers scored as they stand: by the pipeline's own functions, at the partition's time.

Between two events a customer's figures move with silence. What is told here is the score of this
moment: same row, same model, same functions as what is published, the cause being silence. Bands
change only at crossings, and these are published, so ``revision`` and ``risk_band`` are those that
the topics had last.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from streamer.pipeline import Partition
from streamer.records.instants import NEVER
from streamer.records.scores import SILENCE, ChurnRiskUpdate, LtvUpdate
from streamer.scoring.bands import crossings_of
from streamer.scoring.score import Scoring, score
from streamer.scoring.segments import split
from streamer.serdes.rows import decode_told
from streamer.state.row import Row
from streamer.state.told import NOTHING, Told


class Standing(Struct, frozen=True):
    """A customer's state and its score at this moment."""

    row: Row
    told: Told
    ltv: LtvUpdate
    churn_risk: ChurnRiskUpdate

    @property
    def segments(self) -> list[str]:
        """Those that it was last told to be in."""
        return list(split(self.told.segments))


def standings(
    partition: Partition, customer_ids: Sequence[str], now: datetime
) -> dict[str, Standing]:
    """Return the customers of ``customer_ids`` that have a score, by id, in their order.

    Args:
        partition: theirs.
        customer_ids: some hundreds at most: they are scored at once.
        now: becomes ``scored_at``.
    """
    found = {one: row for one in customer_ids if (row := partition.row(one)) is not None}
    rows = {one: row for one, row in found.items() if row.as_of != NEVER}
    if not rows:
        return {}
    crossings = crossings_of(list(rows.values()), partition.scoring).tolist()
    scorings = [
        Scoring(customer_id, row, instants, max(row.as_of, partition.time), SILENCE)
        for (customer_id, row), instants in zip(rows.items(), crossings, strict=True)
    ]
    updates = zip(*score(scorings, now, partition.scoring), strict=True)
    return {
        one: Standing(row, _told(partition.told, one), *update)
        for (one, row), update in zip(rows.items(), updates, strict=True)
    }


def _told(told: Mapping[str, bytes], customer_id: str) -> Told:
    value = told.get(customer_id)
    return NOTHING if value is None else decode_told(value)
