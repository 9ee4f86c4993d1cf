"""The partitions' shares in the figures of the whole shop, as JSON: sums may pass 64 bits."""

from typing import TypeVar

import msgspec

from streamer.errors import StreamerError
from streamer.records.partials import Key
from streamer.serdes import UNREADABLE

T = TypeVar("T")

encode_partial = msgspec.json.Encoder().encode
"""Return sums, or which of them are in force, as JSON."""

encode_partial_key = encode_partial
"""Return a key as JSON."""

_decode_key = msgspec.json.Decoder(tuple[str, ...]).decode


class UnreadablePartialError(StreamerError):
    """The topic of partial sums holds what this version cannot read."""


def decode_partial_key(value: bytes | None) -> Key:
    """Return the key in ``value``.

    Raises:
        UnreadablePartialError: it is none.
    """
    try:
        return _decode_key(value or b"")
    except UNREADABLE as error:
        raise UnreadablePartialError(f"this is no key of a partial sum: {error}") from None


def decode_partial(value: bytes, kind: type[T]) -> T:
    """Return the ``kind`` in ``value``.

    Raises:
        UnreadablePartialError: it is none.
    """
    try:
        return msgspec.json.decode(value, type=kind)
    except UNREADABLE as error:
        raise UnreadablePartialError(f"this is no {kind.__name__}: {error}") from None
