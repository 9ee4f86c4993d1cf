"""Scores and dead letters as bytes."""

import msgspec

from streamer.records.dead_letters import DeadLetter
from streamer.records.kafka import Headers, Record
from streamer.records.scores import ChurnRiskUpdate, LtvUpdate

ERROR_PREFIX = "streamer.error."
ATTEMPT = ERROR_PREFIX + "attempt"
TEXT_MAX = 256
"""Characters of a text that may quote the input."""
DIGITS_MAX = 6

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
    told = letter.reason, letter.message, letter.field
    return error_headers(letter.record, told, failed_at, version)


def error_headers(
    record: Record, told: tuple[str, str, str], failed_at: str, version: str
) -> Headers:
    """Return the record's own headers and, behind them, what was told against it.

    Args:
        record: as it was read.
        told: reason, message and field; what is long is cut short.
        failed_at: RFC 3339.
        version: of this program.
    """
    reason, message, field = told
    own = tuple(header for header in record.headers if not header[0].startswith(ERROR_PREFIX))
    attempts = [raw for name, raw in record.headers if name == ATTEMPT]
    errors = {
        "reason": reason,
        "message": message[:TEXT_MAX],
        "field": field[:TEXT_MAX],
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "attempt": str(_attempt(attempts[-1] if attempts else None)),
        "failed_at": failed_at,
        "version": version,
    }
    return own + tuple(
        (ERROR_PREFIX + name, text.encode(errors="replace")) for name, text in errors.items()
    )


def _attempt(earlier: bytes | None) -> int:
    """Return which attempt this was, after what the record says of ``earlier`` ones."""
    if earlier is None or not earlier.isdigit() or len(earlier) > DIGITS_MAX:
        return 1
    return int(earlier) + 1
