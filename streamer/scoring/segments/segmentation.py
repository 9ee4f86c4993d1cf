"""Who is in which segment: a function of the score, hence of the row, the model and ``as_of``."""

import re
from collections.abc import Callable, Iterable, Mapping

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from streamer.errors import StreamerError
from streamer.scoring.expressions import FIELDS, Frame, Kind, compile_flag
from streamer.scoring.segments.rfm import SCORES, Rfm

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
SEGMENTS_MAX = 200
"""Each is a time series a partition, and each customer's memberships stand in memory."""

_TRUE = 2
_SEPARATOR = ","


class SegmentError(StreamerError):
    """A segment cannot be as it is defined."""


class Segmentation(Struct, frozen=True, dict=True):
    """The shop's segments, compiled."""

    names: tuple[str, ...] = ()
    """Sorted."""
    conditions: tuple[Callable[[Frame], NDArray[np.int8]], ...] = ()
    thresholds: Mapping[str, float] = {}
    rfm: Rfm | None = None

    def __post_init__(self) -> None:
        self.__dict__["_joined"] = {}

    def memberships(self, frame: Frame) -> list[str]:
        """Return each customer's segments, joined; the columns found stay in ``frame``.

        Actions may name a segment as a flag, and the thresholds.
        """
        if self.rfm is not None:
            self.rfm.add_to(frame)
        for name, threshold in self.thresholds.items():
            frame.add(name, np.array(threshold))
        if not self.names:
            return [""] * len(frame)
        columns = [condition(frame) for condition in self.conditions]
        for name, column in zip(self.names, columns, strict=True):
            frame.add(name, column)
        packed = np.packbits(np.array(columns) == _TRUE, axis=0).T
        width = packed.shape[1]
        codes = np.ascontiguousarray(packed).tobytes()
        return [self._name(codes[at : at + width]) for at in range(0, len(codes), width)]

    def _name(self, code: bytes) -> str:
        """Return the names that ``code`` stands for; few combinations are ever met."""
        joined: dict[bytes, str] = self.__dict__["_joined"]
        known = joined.get(code)
        if known is None:
            bits = np.unpackbits(np.frombuffer(code, np.uint8))[: len(self.names)]
            known = join(name for name, bit in zip(self.names, bits.tolist(), strict=True) if bit)
            joined[code] = known
        return known

    @property
    def kinds(self) -> dict[str, Kind]:
        """What expressions over frames may name besides the public fields."""
        return {**_kinds(self.thresholds, self.rfm), **dict.fromkeys(self.names, "flag")}


NO_SEGMENTS = Segmentation()


def join(names: Iterable[str]) -> str:
    """Return sorted names as they are remembered: one text compares and stores fastest."""
    return _SEPARATOR.join(names)


def split(joined: str) -> tuple[str, ...]:
    """Return the names that ``join`` made one text of."""
    return tuple(joined.split(_SEPARATOR)) if joined else ()


def segmentation(
    definitions: Mapping[str, str], thresholds: Mapping[str, float], rfm: Rfm
) -> Segmentation:
    """Return the segments of these conditions.

    Args:
        definitions: conditions by the segment's name.
        thresholds: numbers that conditions may name.
        rfm: of the scores that conditions may name.

    Raises:
        SegmentError: a name is none, or taken; or there are too many.
        ExpressionError: a condition is none.
    """
    if len(definitions) > SEGMENTS_MAX:
        raise SegmentError(f"{len(definitions)} segments; {SEGMENTS_MAX} at most are kept.")
    others = _kinds(thresholds, rfm)
    for name in (*definitions, *thresholds):
        if not NAME.fullmatch(name):
            raise SegmentError(f"`{name}` is no name: a-z, 0-9 and _, 63 at most, a letter first.")
        if name in FIELDS or name in SCORES or (name in definitions and name in thresholds):
            raise SegmentError(f"`{name}` is a field or threshold already: choose another name.")
    names = tuple(sorted(definitions))
    conditions = tuple(compile_flag(definitions[name], f"segment {name}", others) for name in names)
    return Segmentation(names, conditions, dict(thresholds), rfm)


def _kinds(thresholds: Mapping[str, float], rfm: Rfm | None) -> dict[str, Kind]:
    return dict.fromkeys((*thresholds, *(SCORES if rfm else ())), "number")
