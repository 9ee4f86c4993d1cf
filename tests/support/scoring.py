"""Scorings of single rows, as the pipeline makes them."""

from streamer.records.scores import SILENCE
from streamer.scoring.bands import crossings_of
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.score import Scoring
from streamer.state.row import Row

DEFAULT = ScoringParameters()


def scoring(
    customer_id: str, row: Row, as_of: int, parameters: ScoringParameters = DEFAULT
) -> Scoring:
    """Return what asks for the score of ``row`` at ``as_of``."""
    instants = crossings_of([row], parameters)[0].tolist()
    return Scoring(customer_id, row, instants, as_of, SILENCE)
