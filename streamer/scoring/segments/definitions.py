"""Segments as a file defines them: TOML, already parsed."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from streamer.scoring.segments.rfm import Rfm
from streamer.scoring.segments.segmentation import Segmentation, SegmentError, segmentation


class _File(Struct, forbid_unknown_fields=True):
    thresholds: dict[str, float] = {}
    rfm: Rfm | None = None
    segments: dict[str, str] = {}


def segments_of(built_in: Mapping[str, Any], own: Mapping[str, Any], where: str) -> Segmentation:
    """Return the segments of a shop.

    Args:
        built_in: the packaged file.
        own: the shop's; what it holds is added to those, or replaces what has its name.
        where: the shop's file, for errors.

    Raises:
        SegmentError: the file does not hold what it should.
        ExpressionError: a condition is none.
    """
    base = msgspec.convert(built_in, _File)
    try:
        added = msgspec.convert(own, _File)
    except msgspec.ValidationError as error:
        raise SegmentError(f"{where}: {error}.") from None
    rfm = added.rfm or base.rfm
    assert rfm is not None  # noqa: S101 - the packaged file has it
    return segmentation(
        {**base.segments, **added.segments}, {**base.thresholds, **added.thresholds}, rfm
    )
