"""Dead letters as people and programs read them: the record and its headers as one JSON object."""

from base64 import b64encode
from typing import Literal

from msgspec import Struct

from streamer.records.kafka import Headers
from streamer.serdes.scores import ATTEMPT, ERROR_PREFIX

Encoding = Literal["utf-8", "base64"]

DIGITS_MAX = 19
"""Of an offset."""

REPLAY_OF = "streamer.replay.of"
"""A header of what is replayed: where the record stood that was refused first."""


class ReadableDeadLetter(Struct, frozen=True):
    """A dead letter without its bytes: what is no UTF-8 stands in base64 and says so."""

    reason: str
    message: str
    field: str
    topic: str
    partition: int
    offset: int
    attempt: int
    failed_at: str
    version: str
    timestamp: int | None
    """The record's own, milliseconds since 1970."""
    key: str | None
    key_encoding: Encoding
    value: str | None
    value_encoding: Encoding
    headers: dict[str, str | None]
    """The record's own; of those with one name the last."""
    headers_base64: tuple[tuple[str, str | None], ...] = ()
    """All of them in their order, names and bytes, where ``headers`` does not tell everything."""


def readable_dead_letter(
    key: bytes | None, value: bytes | None, headers: Headers, timestamp: int | None
) -> ReadableDeadLetter:
    """Return what a record of the dead letters' topic says."""
    texts = {name: None if raw is None else raw.decode(errors="replace") for name, raw in headers}
    told = {
        name.removeprefix(ERROR_PREFIX): text or ""
        for name, text in texts.items()
        if name.startswith(ERROR_PREFIX)
    }
    own = tuple(pair for pair in headers if not pair[0].startswith(ERROR_PREFIX))
    (key_text, key_encoding), (value_text, value_encoding) = _text(key), _text(value)
    return ReadableDeadLetter(
        reason=told.get("reason", ""),
        message=told.get("message", ""),
        field=told.get("field", ""),
        topic=told.get("topic", ""),
        partition=_number(told.get("partition")),
        offset=_number(told.get("offset")),
        attempt=_number(told.get("attempt")),
        failed_at=told.get("failed_at", ""),
        version=told.get("version", ""),
        timestamp=timestamp,
        key=key_text,
        key_encoding=key_encoding,
        value=value_text,
        value_encoding=value_encoding,
        headers={name: texts[name] for name, _ in own},
        headers_base64=() if _is_told(own) else tuple((name, _base64(raw)) for name, raw in own),
    )


def replayed_headers(headers: Headers, first: str) -> Headers:
    """Return the headers under which a dead letter is sent once more.

    They are the record's own, the attempt, which the next refusal counts up, and the place of the
    record that was refused ``first``, so that attempts of one record can be told as such.
    """
    own = tuple(pair for pair in headers if not pair[0].startswith(ERROR_PREFIX))
    attempt = tuple(pair for pair in headers if pair[0] == ATTEMPT)[-1:]
    known = any(name == REPLAY_OF for name, _ in own)
    return (*own, *attempt, *(() if known else ((REPLAY_OF, first.encode()),)))


def _is_told(headers: Headers) -> bool:
    """Return whether an object of texts tells all of ``headers``."""
    unique = len({name for name, _ in headers}) == len(headers)
    return unique and all(_text(raw)[1] == "utf-8" for _, raw in headers)


def _base64(raw: bytes | None) -> str | None:
    return None if raw is None else b64encode(raw).decode()


def _text(raw: bytes | None) -> tuple[str | None, Encoding]:
    if raw is None:
        return None, "utf-8"
    try:
        return raw.decode(), "utf-8"
    except UnicodeDecodeError:
        return b64encode(raw).decode(), "base64"


def _number(text: str | None) -> int:
    """Return the number in a header; -1 where somebody else's record lacks it."""
    return int(text) if text and text.isdecimal() and len(text) <= DIGITS_MAX else -1
