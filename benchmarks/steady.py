"""What an event takes once a contender is warm."""

from collections.abc import Sequence
from typing import NamedTuple

WARM_UP_SHARE = 0.4
"""Java compiles what is hot for as long as 300,000 events."""


class Sample(NamedTuple):
    """How many events were consumed at a moment of the monotonic clock.

    And how much time of the processors the contender had had till then, where that can be known.
    """

    seconds: float
    events: int
    cpu_seconds: float | None = None


class Pace(NamedTuple):
    """Events/s, and the processor time that one event takes.

    The one depends on what else the machine does, the other hardly.
    """

    events_per_second: float
    cpu_us_per_event: float | None


def pace(samples: Sequence[Sample], events: int, warm_up: int | None = None) -> Pace:
    """Return the pace of `events` behind the warm-up.

    Args:
        samples: In the order of time; the last one holds `events` or more.
        events: How many there are to consume.
        warm_up: How many of them do not count, fewer than all; None takes `WARM_UP_SHARE`.

    >>> pace([Sample(0, 0, 0), Sample(2, 40, 1), Sample(3, 70, 2), Sample(4, 100, 3)], 100)
    Pace(events_per_second=30.0, cpu_us_per_event=33333.333333333336)
    """
    begin = events * WARM_UP_SHARE if warm_up is None else warm_up
    first = next(sample for sample in samples if sample.events >= begin)
    last = next(sample for sample in samples if sample.events >= events)
    consumed, seconds = last.events - first.events, last.seconds - first.seconds
    if not consumed:
        raise ValueError("All events were consumed between two samples: give it more events.")
    if first.cpu_seconds is None or last.cpu_seconds is None:
        return Pace(consumed / seconds, None)
    return Pace(consumed / seconds, (last.cpu_seconds - first.cpu_seconds) / consumed * 1e6)
