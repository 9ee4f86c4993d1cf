"""`streamer bench`: throughput and latency on this machine; the code is in `benchmarks`."""

import signal
from pathlib import Path
from typing import Annotated

import typer

from streamer.errors import StreamerError


def bench(
    *,
    events: Annotated[
        int | None, typer.Option(min=1_000, show_default="1000000", help="Purchases to work off.")
    ] = None,
    customers: Annotated[
        int | None, typer.Option(min=1, show_default="500000", help="Among how many customers.")
    ] = None,
    skewed: Annotated[
        bool, typer.Option("--skewed", help="Let few customers make most purchases (Zipf 1).")
    ] = False,
    runs: Annotated[
        int | None, typer.Option(min=1, show_default="3", help="How often each is measured.")
    ] = None,
    rates: Annotated[
        str | None, typer.Option(show_default="1000,10000", help="Events/s for latency, by commas.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            show_default="all",
            help="read-limit, streamer, kafka-streams, quix, bytewax, plain-faust, latency or "
            "scale; may be repeated.",
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Small sizes: does it all work, and about how fast?")
    ] = False,
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw them into this file: .png or .svg.")
    ] = None,
) -> None:
    """Measure the worker beside Kafka Streams, Quix Streams, Bytewax and plain Faust.

    On a Kafka of its own. Takes some minutes, and all cores: leave the machine alone meanwhile.

    Example: streamer bench --events 100000
    """
    try:
        from benchmarks.main import main  # noqa: PLC0415 - a wheel does not carry it
    except ModuleNotFoundError as error:
        if error.name != "benchmarks":
            raise
        raise StreamerError(
            "The benchmarks are in the repository, not in the package: clone it and run "
            "`make bench`."
        ) from None
    # Both, so that all that runs is ended in order; a script's background jobs ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    main(
        events=events,
        customers=customers,
        runs=runs,
        rates=rates,
        only=only or (),
        skewed=skewed,
        quick=quick,
        json=json,
        picture=picture,
    )
