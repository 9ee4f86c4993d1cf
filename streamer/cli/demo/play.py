"""Sending to the worker and watching it: first as fast as it goes, then at an even pace."""

import asyncio
import time
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from streamer.cli.demo.pulse import Pulse, pulse_of
from streamer.cli.demo.settling import settle
from streamer.cli.demo.stage import DemoError, DemoWorker
from streamer.engine.fitting import fit_shop
from streamer.engine.models import publish
from streamer.engine.rows import read_rows
from streamer.engine.sending import send
from streamer.records.instants import NEVER
from streamer.records.models import FORMULA, ModelParams
from streamer.settings import Settings

PULSE_SECONDS = 0.2
STALLED_SECONDS_MAX = 60.0
"""A worker that commits nothing for so long will never be done."""


async def send_all(
    settings: Settings, worker: DemoWorker, values: Sequence[bytes], console: Console
) -> float:
    """Send ``values`` at full speed; return the seconds until all of them were committed."""
    started = time.monotonic()
    sent = 0

    def note(number: int) -> None:
        nonlocal sent
        sent = number

    columns = BarColumn(bar_width=20), TextColumn("{task.description}")
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("sending", total=len(values))
        sending = asyncio.create_task(send(settings, values, note))
        watching = asyncio.create_task(
            done(settings, worker, len(values), lambda pulse: bar.update(
                task, completed=pulse.consumed, description=_told(pulse, sent, started)
            ))
        )  # fmt: skip
        try:
            await asyncio.gather(sending, watching)
        finally:
            sending.cancel()
            watching.cancel()
    return time.monotonic() - started


def _told(pulse: Pulse, sent: int, started: float) -> str:
    rate = pulse.consumed / max(time.monotonic() - started, 0.001)
    return (
        f"{sent:,} sent · {pulse.scores:,} scored · {pulse.dead_letters} dead · "
        f"{rate:,.0f}/s · lag {max(0, sent - pulse.consumed):,}"
    )


async def fit_and_renew(settings: Settings, worker: DemoWorker) -> ModelParams:
    """Fit a model to the shop, publish it, and wait until the worker has scored everyone by it.

    A shop too small for a model stays with the formula.

    Raises:
        DemoError: the worker goes on no more.
    """
    await settle(settings)
    model = await fit_shop(settings, settings.model)
    if model.model == FORMULA:
        return model
    rows, _ = await read_rows(settings)
    scored = sum(row.as_of != NEVER for row in rows)  # more than bought, if some have only rated
    await publish(settings, model)
    last, moved_at = -1, time.monotonic()
    while last < scored:
        pulse = pulse_of(await asyncio.to_thread(worker.metrics), settings.topic_prefix)
        if pulse.renewed != last:
            last, moved_at = pulse.renewed, time.monotonic()
        elif time.monotonic() - moved_at > STALLED_SECONDS_MAX:
            raise DemoError(f"the worker has stopped: see {worker.log_file}, and start again.")
        await asyncio.sleep(PULSE_SECONDS)
    return model


async def done(
    settings: Settings,
    worker: DemoWorker,
    sent: int,
    told: Callable[[Pulse], object] = lambda _: None,
) -> Pulse:
    """Wait until ``sent`` events since the worker's start are done; return the last pulse.

    Raises:
        DemoError: the worker has ended, or goes on no more.
    """
    last, moved_at = None, time.monotonic()
    while True:
        text = await asyncio.to_thread(worker.metrics)
        pulse = pulse_of(text, settings.topic_prefix)
        told(pulse)
        if pulse.is_done(sent):
            return pulse
        if pulse != last:
            last, moved_at = pulse, time.monotonic()
        elif time.monotonic() - moved_at > STALLED_SECONDS_MAX:
            raise DemoError(f"the worker has stopped: see {worker.log_file}, and start again.")
        await asyncio.sleep(PULSE_SECONDS)
