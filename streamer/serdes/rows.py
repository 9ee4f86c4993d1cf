"""Rows, checkpoints, what was told, what stays of the erased, and referral messages as bytes.

A row is one byte of version and a msgpack array: compact, and a field added at the end of
``Row`` reads as its default in an older row. Anything else needs the next version and a reader
for each older one.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, defstruct
from msgspec.structs import FieldInfo, fields

from streamer.errors import StreamerError
from streamer.records.dead_letters import Rejected
from streamer.records.events import InternalEvent, ReferralProbe, ReferralRing
from streamer.records.instants import NEVER
from streamer.records.models import ModelParams
from streamer.serdes import UNREADABLE
from streamer.state.erasure import Erased
from streamer.state.row import Row
from streamer.state.told import Told

T = TypeVar("T")

VERSION = 1
_PREFIX = bytes([VERSION])
CHECKPOINT_KEY = b""
"""Its key in the changelog: no customer's id is empty."""
MODEL_KEY = b"\xff"
"""The adopted model's: no customer's id is anything but UTF-8."""
TOLD = b"\xfe"
"""Before a customer's id: the key of what was told of that customer. No id begins so."""
ERASED = b"\xfd"
"""Before a hash of a customer's id: the key of what stays of an erased one. No id begins so."""


class UnreadableRowError(StreamerError):
    """The changelog holds what this version cannot read."""


class Checkpoint(Struct, array_like=True):
    """How far a partition has come, written in the transaction that took it there."""

    next_offsets: dict[str, int]
    """By topic: the first offset not yet consumed."""
    time: int
    """Silence has been told of up to this instant."""
    stream_time: int
    """The greatest event time of a purchase or refund so far."""
    log_time: int = NEVER
    """The same of all that was read from the event topics, passed on or not."""


class _Skipped(Struct, array_like=True, frozen=True):
    """An array whose elements nobody looks at: passed over without making objects of them."""


def _timeline_field(field: FieldInfo) -> tuple[str, Any, Any]:
    if field.name in {"applied", "days"}:
        return field.name, _Skipped, _Skipped()
    if field.name == "engagement":
        return field.name, _Skipped | None, None
    if field.default_factory is not msgspec.NODEFAULT:
        return field.name, field.type, msgspec.field(default_factory=field.default_factory)
    return field.name, field.type, field.default


_ROW_FIELDS = fields(Row)
_TIMELINE_FIELDS = 1 + [field.name for field in _ROW_FIELDS].index("paid_at")
_Timeline = defstruct(
    "Timeline",
    map(_timeline_field, _ROW_FIELDS[:_TIMELINE_FIELDS]),
    array_like=True,
    namespace={"as_of": Row.as_of},
)
"""A row as far as its silence depends on it: ``as_of`` and the instants of its purchases."""

_encode = msgspec.msgpack.Encoder().encode
_decode_row = msgspec.msgpack.Decoder(Row).decode
_decode_timeline = msgspec.msgpack.Decoder(_Timeline).decode
_decode_model = msgspec.msgpack.Decoder(ModelParams).decode
_decode_told = msgspec.msgpack.Decoder(Told).decode
_decode_erased = msgspec.msgpack.Decoder(Erased).decode
_decode_checkpoint = msgspec.msgpack.Decoder(Checkpoint).decode
_decode_internal: Callable[[bytes], InternalEvent] = msgspec.json.Decoder(InternalEvent).decode
_encode_json = msgspec.json.Encoder().encode


def encode_row(row: Row) -> bytes:
    """Return ``row`` as its changelog value."""
    return _PREFIX + _encode(row)


def decode_row(value: bytes) -> Row:
    """Return the row in a changelog value.

    Raises:
        UnreadableRowError: it is of a later version, or no row.
    """
    return _decoded(value, _decode_row, "row")


def decode_timeline(value: bytes) -> Any:
    """Return what ``as_of`` and ``bands.crossings_of`` read of a row, for a third less time.

    Raises:
        UnreadableRowError: as ``decode_row``, though it looks at a part of the row only.
    """
    return _decoded(value, _decode_timeline, "row")


def encode_checkpoint(checkpoint: Checkpoint) -> bytes:
    """Return ``checkpoint`` as its changelog value."""
    return _PREFIX + _encode(checkpoint)


def decode_checkpoint(value: bytes) -> Checkpoint:
    """Return the checkpoint in a changelog value.

    Raises:
        UnreadableRowError: as ``decode_row``.
    """
    return _decoded(value, _decode_checkpoint, "checkpoint")


def encode_model(model: ModelParams) -> bytes:
    """Return ``model`` as its changelog value."""
    return _PREFIX + _encode(model)


def decode_model(value: bytes) -> ModelParams:
    """Return the model in a changelog value.

    Raises:
        UnreadableRowError: as ``decode_row``.
    """
    return _decoded(value, _decode_model, "model")


def told_key(customer_id: str) -> bytes:
    """Return the changelog's key of what was told of ``customer_id``."""
    return TOLD + customer_id.encode()


def told_of(key: bytes) -> str | None:
    """Return whom a ``told_key`` is of; None of any other key."""
    return key[1:].decode() if key.startswith(TOLD) else None


def is_row(key: bytes) -> bool:
    """Return whether the changelog's ``key`` is that of a customer's row."""
    return CHECKPOINT_KEY < key < ERASED


def erased_key(customer_id: bytes) -> bytes:
    """Return the changelog's key of what stays of ``customer_id``: it does not tell the id."""
    return ERASED + blake2b(customer_id, digest_size=16).digest()


def encode_erased(erased: Erased) -> bytes:
    """Return what stays of an erased customer as its changelog value."""
    return _PREFIX + _encode(erased)


def decode_erased(value: bytes) -> Erased:
    """Return what stays of an erased customer, of a changelog value.

    Raises:
        UnreadableRowError: as ``decode_row``.
    """
    return _decoded(value, _decode_erased, "record of an erasure")


def encode_told(told: Told) -> bytes:
    """Return ``told`` as its changelog value."""
    return _PREFIX + _encode(told)


def decode_told(value: bytes) -> Told:
    """Return what was told, of a changelog value.

    Raises:
        UnreadableRowError: as ``decode_row``.
    """
    return _decoded(value, _decode_told, "record of what was told")


def _decoded(value: bytes, decode: Callable[[bytes], T], name: str) -> T:
    if not value.startswith(_PREFIX):
        raise _unreadable(value)
    try:
        return decode(value[1:])
    except UNREADABLE as error:
        raise UnreadableRowError(f"a {name} in the changelog is damaged ({error})") from None


def _unreadable(value: bytes) -> UnreadableRowError:
    version = value[0] if value else "none"
    return UnreadableRowError(
        f"the changelog holds a row of version {version}, this streamer reads up to {VERSION}: "
        "run the streamer version that wrote it, or a later one"
    )


def encode_internal(event: InternalEvent) -> bytes:
    """Return a referral message as JSON."""
    return _encode_json(event)


def decode_internal(value: bytes | None) -> InternalEvent:
    """Return the referral message in ``value``.

    Raises:
        Rejected: somebody else than streamer wrote to its topic.
    """
    try:
        event = _decode_internal(value or b"")
    except UNREADABLE as error:
        raise Rejected("malformed", f"no message of streamer's own: {error}") from None
    if not _adds_up(event):
        raise Rejected("malformed", "no message of streamer's own: it names no cycle")
    return event


def _adds_up(event: InternalEvent) -> bool:
    """Return whether what runs round a cycle names members, each once, the receiver rightly."""
    if isinstance(event, ReferralRing):
        members = [member for member, _ in event.members]
        return len(set(members)) == len(members) > 1 and event.customer_id in members
    if isinstance(event, ReferralProbe):
        path = [member for member, _ in event.path]
        return len(set(path)) == len(path) > 0 and path != [event.customer_id]
    return True
