"""``streamer demo``: a shop to watch, from nothing to scores, on this machine alone."""

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from streamer.broker import EmbeddedKafka
from streamer.broker.jars import KAFKA_VERSION, jar_folder
from streamer.cli.demo.feed import Feed, feed
from streamer.cli.demo.latency import measure
from streamer.cli.demo.outcome import Outcome, outcome_of
from streamer.cli.demo.play import done, fit_and_renew, send_all
from streamer.cli.demo.pulse import Pulse
from streamer.cli.demo.report import Summary, show
from streamer.cli.demo.stage import (
    DemoWorker,
    alone_in,
    delete_old_topics,
    overrides,
    remove_deleted,
)
from streamer.cli.demo.steps import step
from streamer.cli.showing import print_json
from streamer.files import cdnow_master, cdnow_sample
from streamer.settings import Settings, load_settings

PACED_PER_SECOND = 1_000.0
PACED_SECONDS = 5.0
WATCH_SECONDS = 1.0


def demo(
    *,
    sample: Annotated[
        bool, typer.Option("--sample", help="Take a tenth of the customers: 2,357.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    stay: Annotated[
        bool | None,
        typer.Option(help="Leave the worker and its page running until Ctrl-C; so in a terminal."),
    ] = None,
) -> None:
    """Start Kafka and a worker, send them the purchases of a real shop, and show what comes of it.

    The first run downloads Kafka and the data. In the end nothing runs on; the data are kept.

    Example: streamer demo --sample
    """
    # A script's background process ignores Ctrl-C; service managers send SIGTERM. Both end all in
    # order, by way of whoever handles Ctrl-C just then.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    console = Console(stderr=json)
    stays = sys.stdout.isatty() and not json if stay is None else stay

    def tell(summary: Summary, worker: DemoWorker) -> None:
        if json:
            print_json(summary)
        else:
            show(summary, console)
        if stays:
            wait_at(worker, console)

    try:
        run(load_settings().data_dir / "demo", console, tell, sample=sample)
    except KeyboardInterrupt:
        console.print("stopped, and with it all that was started")
        raise


def wait_at(worker: DemoWorker, console: Console) -> None:
    """Leave ``worker`` running until Ctrl-C; that is a good end."""
    console.print(
        f"\nLook around at [bold]{worker.address}/[/], in a browser. Ctrl-C ends it all.",
        soft_wrap=True,
    )
    try:
        while True:
            worker.check()
            time.sleep(WATCH_SECONDS)
    except KeyboardInterrupt:
        console.print("ended, and with it all that was started; the data are kept")


def run(
    folder: Path,
    console: Console,
    tell: Callable[[Summary, DemoWorker], None],
    *,
    sample: bool,
) -> None:
    """Run the demo with its data in ``folder``; whatever it started has ended when it returns.

    ``tell`` is called while the worker still runs.
    """
    started = time.monotonic()
    with alone_in(folder), ThreadPoolExecutor(1) as pool:
        with step(console, "CDNOW's purchases, fetched once and kept"):
            transactions = cdnow_sample() if sample else cdnow_master()
        making = pool.submit(feed, transactions)
        remove_deleted(folder / "kafka")
        kafka = EmbeddedKafka(folder / "kafka")
        once = "" if jar_folder().exists() else ", after a download of 45 MB, once"
        try:
            with step(console, f"starting Kafka {KAFKA_VERSION}{once}") as told:
                kafka.start()
                told.words = f"Kafka {KAFKA_VERSION} on {kafka.bootstrap}{once}"
            chosen = overrides(kafka.bootstrap)
            with DemoWorker(chosen, folder) as worker:
                tell(play(chosen, worker, making.result(), console, started), worker)
        finally:
            kafka.stop()


def play(
    chosen: Mapping[str, object], worker: DemoWorker, events: Feed, console: Console, started: float
) -> Summary:
    """Take ``events`` through ``worker``, the last of them at an even pace."""
    settings = load_settings(**chosen)
    _await(worker, settings, console)
    paced = min(round(PACED_PER_SECOND * PACED_SECONDS), len(events.values) // 2)
    first, last = events.values[:-paced], events.values[-paced:]
    with step(console, f"{len(first):,} events sent, scored and committed", spins=False):
        seconds = asyncio.run(send_all(settings, worker, first, console))
    with step(console, f"{len(last):,} events at {PACED_PER_SECOND:,.0f} events/s, each timed"):
        latency = asyncio.run(measure(settings, last, PACED_PER_SECOND))
    asyncio.run(done(settings, worker, len(events.values)))
    with step(console, "a model fitted to the shop, and everyone scored by it") as told:
        model = asyncio.run(fit_and_renew(settings, worker))
        told.words = f"{model.model_version} fitted, and everyone scored by it"
    pulse, outcome = _read(worker, settings, len(events.values), console)
    return Summary(
        sent=events.sent,
        scores=pulse.scores,
        silences=pulse.silences,
        events_per_second=round(len(first) / seconds, 1),
        paced_per_second=PACED_PER_SECOND,
        latency=latency,
        model=model,
        seconds=round(time.monotonic() - started, 1),
        outcome=outcome,
        kafka_data_dir=str(settings.data_dir / "demo" / "kafka"),
        topic_prefix=settings.topic_prefix,
    )


def _await(worker: DemoWorker, settings: Settings, console: Console) -> None:
    with step(console, "starting a worker") as told:
        asyncio.run(delete_old_topics(settings))
        worker.wait_until_ready()
        told.words = f"a worker; see it live at {worker.address}/"


def _read(
    worker: DemoWorker, settings: Settings, sent: int, console: Console
) -> tuple[Pulse, Outcome]:
    with step(console, "the last scores of all customers, read by a subscriber"):
        pulse = asyncio.run(done(settings, worker, sent))
        return pulse, asyncio.run(outcome_of(settings))
