"""Scores as messages, and the announcements that follow from them."""

from collections.abc import Sequence
from datetime import datetime

from streamer.pipeline.announcing import Book, announced
from streamer.pipeline.unit import Configuration, Message
from streamer.records.kafka import CHURN_RISK_UPDATES, LTV_UPDATES
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.score import Scoring, score
from streamer.serdes.scores import encode_score


def scored(
    scorings: Sequence[Scoring],
    now: datetime,
    configuration: Configuration,
    parameters: ScoringParameters,
    book: Book,
) -> dict[str, list[Message]]:
    """Return what ``scorings`` lead to, by topic and in their order; many at once cost far less.

    ``book`` then holds what was told last of each customer.
    """
    if not scorings:
        return {}
    topics = configuration.topics
    keys = [scoring.customer_id.encode() for scoring in scorings]
    values, risks = score(scorings, now, parameters)
    return {
        topics[LTV_UPDATES]: list(map(Message, keys, map(encode_score, values))),
        topics[CHURN_RISK_UPDATES]: list(map(Message, keys, map(encode_score, risks))),
        **announced(values, risks, configuration, book),
    }
