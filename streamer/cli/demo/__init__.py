"""``streamer demo``: a shop to watch, yours or one that comes with it, on this machine alone."""

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console

from streamer.broker import EmbeddedKafka
from streamer.broker.jars import KAFKA_VERSION, jar_folder
from streamer.cli.demo.feed import Feed, feed, frequent_currency, own_feed
from streamer.cli.demo.latency import measure
from streamer.cli.demo.outcome import Outcome, outcome_of
from streamer.cli.demo.play import done, fit_and_renew, send_all
from streamer.cli.demo.pulse import Pulse
from streamer.cli.demo.report import Summary, show
from streamer.cli.demo.settling import settle
from streamer.cli.demo.stage import (
    CDNOW,
    DemoWorker,
    alone_in,
    delete_old_topics,
    overrides,
    remove_deleted,
)
from streamer.cli.demo.steps import step
from streamer.cli.layout import Columns, DateFormat, DecimalComma, layout_of
from streamer.cli.showing import UsageError, counted, print_json
from streamer.files import Layout, cdnow_master, cdnow_sample
from streamer.records.models import FORMULA
from streamer.settings import Settings, load_settings

PACED_PER_SECOND = 1_000.0
PACED_SECONDS = 5.0
WATCH_SECONDS = 1.0


class Shop(NamedTuple):
    """Whose purchases are sent."""

    feed: Callable[[], Feed]
    settings: Mapping[str, object]


def demo(
    file: Annotated[
        str | None,
        typer.Argument(
            help="Your own: transactions as CSV or Parquet, or events as JSONL; - is stdin.",
            show_default="the purchases of CDNOW, a record shop of 1997",
        ),
    ] = None,
    *,
    columns: Columns = "",
    date_format: DateFormat = "",
    decimal_comma: DecimalComma = False,
    sample: Annotated[
        bool, typer.Option("--sample", help="Take a tenth of CDNOW's customers: 2,357.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    stay: Annotated[
        bool | None,
        typer.Option(help="Leave the worker and its page running until Ctrl-C; so in a terminal."),
    ] = None,
) -> None:
    """Start Kafka and a worker, send them a shop's purchases, and show what comes of it.

    The first run downloads Kafka. In the end nothing runs on; the data are kept. Time is that of
    the events: customers are as they were when the last of them happened.

    Example: streamer demo orders.csv --columns customer=Kunde,date=Datum --date-format %d.%m.%Y

    Example: streamer demo --sample
    """
    if file is not None and sample:
        raise UsageError("--sample is of CDNOW's customers: leave it out, or the file.")
    layout = layout_of(columns, date_format, decimal_comma=decimal_comma)
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

    def shop(pool: ThreadPoolExecutor) -> Shop:
        return cdnow(pool, console, sample=sample) if file is None else own(file, layout, console)

    try:
        run(load_settings().data_dir / "demo", console, tell, shop)
    except KeyboardInterrupt:
        console.print("stopped, and with it all that was started")
        raise


def wait_at(worker: DemoWorker, console: Console) -> None:
    """Leave ``worker`` running until Ctrl-C; that is a good end."""
    try:  # from here on: who reads that line may press Ctrl-C before the next is run
        console.print(
            f"\nLook around at [bold]{worker.address}/[/], in a browser. Ctrl-C ends it all.",
            soft_wrap=True,
        )
        while True:
            worker.check()
            time.sleep(WATCH_SECONDS)
    except KeyboardInterrupt:
        console.print("ended, and with it all that was started; the data are kept")


def run(
    folder: Path,
    console: Console,
    tell: Callable[[Summary, DemoWorker], None],
    shop: Callable[[ThreadPoolExecutor], Shop],
) -> None:
    """Run the demo with its data in ``folder``; whatever it started has ended when it returns.

    ``tell`` is called while the worker still runs.
    """
    started = time.monotonic()
    with alone_in(folder), ThreadPoolExecutor(1) as pool:
        events, settings = shop(pool)
        remove_deleted(folder / "kafka")
        kafka = EmbeddedKafka(folder / "kafka")
        once = "" if jar_folder().exists() else ", after a download of 45 MB, once"
        try:
            with step(console, f"starting Kafka {KAFKA_VERSION}{once}") as told:
                kafka.start()
                told.words = f"Kafka {KAFKA_VERSION} on {kafka.bootstrap}{once}"
            chosen = {**overrides(kafka.bootstrap), **settings}
            with DemoWorker(chosen, folder) as worker:
                tell(play(chosen, worker, events(), console, started), worker)
        finally:
            kafka.stop()


def cdnow(pool: ThreadPoolExecutor, console: Console, *, sample: bool) -> Shop:
    """Return the shop that comes with the demo; its events are made while Kafka starts."""
    with step(console, "CDNOW's purchases, fetched once and kept"):
        transactions = cdnow_sample() if sample else cdnow_master()
    return Shop(pool.submit(feed, transactions).result, CDNOW)


def own(file: str, layout: Layout, console: Console) -> Shop:
    """Return the shop of ``file``; unless it is set, its currency is that of most of the events.

    Raises:
        FileError: it cannot be read as it stands; it names the lines.
    """
    settings = load_settings()
    currency = settings.reporting_currency
    with step(console, f"reading {file}") as told:
        events = own_feed(file, currency, layout)
        if "reporting_currency" not in settings.model_fields_set:
            currency = frequent_currency(events.values) or currency
        told.words = f"{file}: {counted(len(events.values), 'event')}, values in {currency}"
    return Shop(lambda: events, {"reporting_currency": currency})


def play(
    chosen: Mapping[str, object], worker: DemoWorker, events: Feed, console: Console, started: float
) -> Summary:
    """Take ``events`` through ``worker``, the last of them at an even pace."""
    settings = load_settings(**chosen)
    _await(worker, settings, console)
    # Only of good events is it known that a score comes, so a shop's own are not timed.
    paced = min(round(PACED_PER_SECOND * PACED_SECONDS), len(events.values) // 2)
    at = len(events.values) - (0 if events.sent.file else paced)
    first, last, latency = events.values[:at], events.values[at:], None
    with step(console, f"{len(first):,} events sent, scored and committed", spins=False):
        seconds = asyncio.run(send_all(settings, worker, first, console))
    if last:
        with step(console, f"{len(last):,} events at {PACED_PER_SECOND:,.0f} events/s, each timed"):
            latency = asyncio.run(measure(settings, last, PACED_PER_SECOND))
    asyncio.run(done(settings, worker, len(events.values)))
    with step(console, "a model fitted to the shop, and everyone scored by it") as told:
        model = asyncio.run(fit_and_renew(settings, worker))
        told.words = (
            "too little for a model: everyone scored by formula"
            if model.model == FORMULA
            else f"{model.model_version} fitted, and everyone scored by it"
        )
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
        currency=settings.reporting_currency,
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
        asyncio.run(settle(settings))
        return pulse, asyncio.run(outcome_of(settings))
