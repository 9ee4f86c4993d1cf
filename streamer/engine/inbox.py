"""What has been fetched for a partition and waits for its next unit of work."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import chain

from streamer import metrics
from streamer.engine.transport import Fetch
from streamer.records.kafka import Record

BUFFERED_RECORDS_MAX = 20_000
"""Beyond this the partition's topics are not fetched."""


class Inbox:
    """Takes fetches that join each other, topic by topic, and gives them in units of work."""

    def __init__(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        self.buffered = 0
        """Records that wait."""
        self.broken = False
        """Whether a fetch was lost on the way: what comes is not taken until ``expect``."""
        self._pause = pause
        self._resume = resume
        self._paused = False
        self._fetches: deque[Fetch] = deque()
        self._expected: dict[str, int] = {}
        self._seek = -1
        self._woken = asyncio.Event()

    def __bool__(self) -> bool:
        """Return whether anything waits."""
        return bool(self._fetches)

    def expect(self, next_offsets: dict[str, int], seek: int) -> None:
        """Forget what waits; take only fetches after this seek that join its offsets, by topic."""
        self._expected = dict(next_offsets)
        self._seek = seek
        self.broken = False
        self._fetches.clear()
        self.buffered = 0
        self._flow()

    def offer(self, fetch: Fetch) -> None:
        """Queue ``fetch`` for the next unit of work."""
        if self.broken or fetch.seek != self._seek:
            return  # it comes again
        if fetch.start != self._expected[fetch.topic]:
            # One before it was lost on the way: Faust drops what arrives while flow is suspended.
            self.broken = True
            self.wake()
            return
        self._expected[fetch.topic] = fetch.end
        self._fetches.append(fetch)
        self.buffered += len(fetch.records)
        self.wake()
        if self.buffered > BUFFERED_RECORDS_MAX and not self._paused:
            self._paused = True
            self._pause()

    def take(self, records_max: int) -> tuple[list[Record], dict[str, int]]:
        """Return what waits, up to the limit, and the offsets behind it by topic."""
        taken: list[Fetch] = []
        records = 0
        while self._fetches and records < records_max:
            fetch, rest = self._fetches.popleft().split(records_max - records)
            if rest is not None:
                self._fetches.appendleft(rest)
            taken.append(fetch)
            records += len(fetch.records)
        self.buffered -= records
        self._flow()
        for fetch in taken:
            metrics.RECORDS_CONSUMED.labels(fetch.topic).inc(len(fetch.records))
        flat = list(chain.from_iterable(fetch.records for fetch in taken))
        return flat, {fetch.topic: fetch.end for fetch in taken}

    def wake(self) -> None:
        """Let who waits look."""
        self._woken.set()

    async def wait(self, seconds: float) -> None:
        """Return when something has come, or the time is over."""
        self._woken.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), timeout=seconds)

    def _flow(self) -> None:
        if self._paused and self.buffered < BUFFERED_RECORDS_MAX // 2:
            self._paused = False
            self._resume()
