"""`streamer broker`: the embedded Kafka in the foreground."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from streamer.broker import BrokerError, EmbeddedKafka
from streamer.broker.jars import KAFKA_VERSION, jar_folder


def broker(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where clients connect; 0 takes a free port.")
    ] = 9092,
    data_dir: Annotated[
        Path, typer.Option(help="Where it keeps its data; the same folder, the same topics.")
    ] = Path("data", "kafka"),
    heap: Annotated[str, typer.Option(help="The Java heap, as in -Xmx.")] = "512m",
    fast_start: Annotated[
        bool,
        typer.Option(
            "--fast-start/--full-speed", help="Start sooner, or run faster once warm (benchmarks)."
        ),
    ] = True,
) -> None:
    """Run a Kafka of one node until it is stopped with Ctrl-C; prints `ready HOST:PORT`.

    It is Apache Kafka itself and needs neither Docker nor an installed Java.

    Example: streamer broker --port 9092 --data-dir .streamer/kafka
    """
    if not jar_folder().exists():
        typer.echo(f"downloading Kafka {KAFKA_VERSION}, 45 MB, once", err=True)
    with (
        _stopped_by_signals(),
        EmbeddedKafka(data_dir, port, heap=heap, fast_start=fast_start) as kafka,
    ):
        print(f"ready {kafka.bootstrap}", flush=True)
        kafka.wait()
        raise BrokerError(
            f"The embedded Kafka ended by itself: see {kafka.log_file}, then start it again."
        )


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Let SIGTERM, which service managers send, and Ctrl-C end the block without an error."""
    # Ctrl-C too: a process that a script starts in the background ignores it otherwise.
    signals = (signal.SIGINT, signal.SIGTERM)
    previous = {number: signal.signal(number, signal.default_int_handler) for number in signals}
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
