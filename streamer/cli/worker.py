"""``streamer worker``: one worker in the foreground."""

import asyncio
import gc
import logging
import sys
from importlib.metadata import version

import faust
from aiokafka.errors import KafkaError
from rich.console import Console
from yarl import URL

from streamer.cli.logs import Unframed, quieten
from streamer.cli.processes import run_processes
from streamer.engine import loop
from streamer.engine.access import check_access
from streamer.engine.app import create_app
from streamer.engine.topics import create_topics
from streamer.errors import StreamerError
from streamer.settings import Settings, load_settings
from streamer.web.operations import OperationsServer


def worker() -> None:
    """Score events until stopped; settings come from STREAMER_*, .env and streamer.toml.

    Example: STREAMER_BROKERS=localhost:9092 streamer worker
    """
    settings = load_settings()
    settings.configuration()  # a segment or a rule that cannot be is told of now, not on assignment
    if settings.create_topics:
        asyncio.run(create_topics(settings))
    asyncio.run(check_access(settings, "worker"))
    if settings.processes == 1:
        run(settings)
        return
    sys.exit(run_processes(settings.processes, lambda index: run(_one_of(settings, index))))


def _one_of(settings: Settings, index: int) -> Settings:
    """Return the settings of the process ``index``: its own port, membership and address."""
    update: dict[str, object] = {"http_port": settings.http_port + index}
    if settings.instance_id:
        update["instance_id"] = f"{settings.instance_id}-{index}"
    if settings.http_advertised_url:
        url = URL(settings.http_advertised_url)
        update["http_advertised_url"] = str(url.with_port((url.port or 0) + index)).rstrip("/")
    return settings.model_copy(update=update)


class _Worker(faust.Worker):
    async def start(self) -> None:
        """Start; what is expected to fail is told by `run`, where Faust would log its frames."""
        try:
            await super().start()
        except (StreamerError, KafkaError) as error:
            self.crash_reason = error

    def on_setup_root_logger(self, logger: logging.Logger, level: int) -> None:
        """Have no frames of our errors in the log."""
        super().on_setup_root_logger(logger, level)
        for handler in logger.handlers:
            handler.addFilter(Unframed())

    async def _sentinel_task(self) -> None:
        """Let the event loop come round once, where Faust stays for a second: all is over."""
        await asyncio.sleep(0)


def run(settings: Settings) -> None:
    """Run Faust's worker; it ends the process.

    Raises:
        BaseException: what the worker crashed of.
    """
    ours = version("streamer")
    app = create_app(settings, ours, lambda app: [OperationsServer(app, ours)])
    quieten()
    console = Console(stderr=True)
    console.print(
        f"streamer worker, group {settings.group_id}, brokers {settings.brokers}, "
        f"page and API on http://{settings.http_host}:{settings.http_port}/, metrics on /metrics",
        highlight=False,
    )
    # A unit of work makes many short-lived objects and no cycles; the rows are bytes. Looking for
    # cycles while it runs takes a tenth of the time: the app does so between units.
    gc.freeze()
    gc.disable()
    loop.install()
    running = _Worker(app, loglevel=settings.log_level, quiet=True)
    try:
        running.execute_from_commandline()
    except SystemExit:
        if running.crash_reason is not None:  # Faust has told of it before all that it stops
            raise running.crash_reason from None
        raise
