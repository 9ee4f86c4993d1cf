"""F12: under a steady load neither memory nor lag creeps up."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from streamer.broker import EmbeddedKafka
from tests.support.scenario import Scenario, scenario
from tests.support.worker import Worker

SEED = 12
EVENTS_PER_SECOND = 300
SHORT_SECONDS = 36
SAMPLE_SECONDS = 0.5
MEMORY_GROWTH_MAX = 0.10
"""Of the second quarter's memory by the last quarter, besides what the rows themselves grew by."""

ROW_COST = 3
"""Bytes of memory for a byte of rows: the row, its key, and the pieces of freed ones."""

LAG_SECONDS_MAX = 2.0
"""Worth of events that may wait in the last quarter beyond those that waited in the second."""


class Sample(NamedTuple):
    """What was seen at one moment."""

    memory_bytes: float
    rows_bytes: float
    lag: float


async def watch(plot: Scenario, worker: Worker, seconds: float) -> list[Sample]:
    samples, began = [], time.monotonic()
    while time.monotonic() - began < seconds:
        await asyncio.sleep(SAMPLE_SECONDS)
        told = await worker.figures()
        rows_bytes = told.get("streamer_state_bytes", 0.0)
        waiting = len(plot.events) + len(plot.broken) - plot.audit.events_consumed
        samples.append(Sample(worker.resident_bytes, rows_bytes, waiting))
    return samples


async def test_nothing_creeps_up(
    kafka: EmbeddedKafka, tmp_path: Path, soak_seconds: float, summary: Callable[..., None]
) -> None:
    seconds = soak_seconds or SHORT_SECONDS
    async with scenario(kafka.bootstrap, tmp_path, SEED, seconds, EVENTS_PER_SECOND) as plot:
        worker = plot.corner.worker("worker")
        worker.start()
        await worker.ready()
        async with plot.load():
            samples = await watch(plot, worker, seconds)
        assert await worker.stop() == 0, worker.told("did not end well")
        await plot.audit.read()
    second, last = (quarter(samples, number) for number in (1, 3))
    summary(
        "F12 soak",
        seconds=round(seconds),
        memory_mb=f"{second.memory_bytes / 1e6:.1f} then {last.memory_bytes / 1e6:.1f}",
        rows_mb=f"{second.rows_bytes / 1e6:.2f} then {last.rows_bytes / 1e6:.2f}",
        lag=f"{second.lag:g} then {last.lag:g}",
        **plot.figures(),
    )
    plot.check()
    grown = ROW_COST * (last.rows_bytes - second.rows_bytes)
    assert last.memory_bytes - grown < (1 + MEMORY_GROWTH_MAX) * second.memory_bytes
    assert last.lag - second.lag < LAG_SECONDS_MAX * EVENTS_PER_SECOND


def quarter(samples: Sequence[Sample], number: int) -> Sample:
    """Return the medians of the samples' first, second … quarter, counted from 0."""
    size = len(samples) // 4
    part = samples[number * size : (number + 1) * size]
    return Sample(*(median(values) for values in zip(*part, strict=True)))
