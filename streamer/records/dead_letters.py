"""Dead letters: records that could not become events, with the reason and the place."""

from typing import Literal, get_args

from msgspec import Struct

from streamer.records.kafka import Record

Reason = Literal[
    "empty",  # no value
    "too_large",  # more bytes than allowed
    "malformed",  # no UTF-8 JSON object, nested too deep, or a name twice
    "unknown_type",  # `type` is none of ours
    "invalid",  # a field is missing or of the wrong form
    "unknown_currency",  # no rate is configured for `currency`
    "self_referral",  # a customer cannot bring itself
    "out_of_range",  # an instant or a sum beyond what can be kept
    "future",  # occurred_at is ahead of the clock
    "late",  # occurred_at is further back than the lateness
]
MESSAGE_CHARS_MAX = 500
"""Of a message, and of a field's path. Both may quote the input, which may be long."""

REASONS: tuple[Reason, ...] = get_args(Reason)


class Rejected(Exception):  # noqa: N818 - a verdict on the input, not a failure of the program
    """The input is at fault: the record becomes a dead letter."""

    def __init__(self, reason: Reason, message: str, field: str = "") -> None:
        super().__init__(message)
        self.reason: Reason = reason
        self.message = message[:MESSAGE_CHARS_MAX]
        self.field = field[:MESSAGE_CHARS_MAX]


class DeadLetter(Struct, frozen=True):
    """A refused record and why. ``field`` is the JSON path, empty for the record as a whole."""

    record: Record
    reason: Reason
    message: str
    field: str
