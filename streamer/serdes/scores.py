"""Scores and dead letters as bytes."""

import msgspec

from streamer.records.dead_letters import DeadLetter
from streamer.records.kafka import Headers
from streamer.records.scores import ChurnRiskUpdate, LtvUpdate

ERROR_PREFIX = "streamer.error."
ATTEMPT = ERROR_PREFIX + "attempt"

encode_score = msgspec.json.Encoder().encode
"""Return a score as JSON."""

Score = LtvUpdate | ChurnRiskUpdate


def dead_letter_headers(letter: DeadLetter, failed_at: str, version: str) -> Headers:
    """Return the record's own headers and, behind them, what went wrong with it.

    Args:
        letter: the refused record.
        failed_at: RFC 3339, when it was refused.
        version: of this program.
    """
    record = letter.record
    own = tuple(header for header in record.headers if not header[0].startswith(ERROR_PREFIX))
    attempts = [raw for name, raw in record.headers if name == ATTEMPT and raw.isdigit()]
    told = {
        "reason": letter.reason,
        "message": letter.message,
        "field": letter.field,
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "attempt": str(int(attempts[-1]) + 1 if attempts else 1),
        "failed_at": failed_at,
        "version": version,
    }
    return own + tuple((ERROR_PREFIX + name, text.encode()) for name, text in told.items())
