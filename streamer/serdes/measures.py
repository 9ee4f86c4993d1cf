"""Figures of the whole shop as JSON."""

from collections.abc import Callable

import msgspec

from streamer.errors import StreamerError
from streamer.records.measures import ShopMeasure
from streamer.serdes import UNREADABLE

encode_shop_measure = msgspec.json.Encoder().encode
"""Return a measure as JSON."""

_decode: Callable[[bytes], ShopMeasure] = msgspec.json.Decoder(ShopMeasure).decode


class UnreadableMeasureError(StreamerError):
    """What should be a measure of the shop is none."""


def decode_shop_measure(value: bytes) -> ShopMeasure:
    """Return the measure in ``value``.

    Raises:
        UnreadableMeasureError: it is none.
    """
    try:
        return _decode(value)
    except UNREADABLE as error:
        raise UnreadableMeasureError(f"this is no measure of a shop: {error}") from None
