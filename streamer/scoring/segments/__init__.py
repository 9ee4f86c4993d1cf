"""Segments (V14): conditions over the public fields of scores, many customers at once."""

from streamer.scoring.segments.segmentation import (
    NO_SEGMENTS,
    Segmentation,
    SegmentError,
    join,
    segmentation,
    split,
)

__all__ = ["NO_SEGMENTS", "SegmentError", "Segmentation", "join", "segmentation", "split"]
