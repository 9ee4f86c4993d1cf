"""A network that fails on demand: a TCP proxy before a broker that knows kinds of requests."""

import asyncio
import struct
from asyncio import StreamReader, StreamWriter
from enum import Enum, auto
from pathlib import Path
from typing import Self

from streamer.broker.jvm import Options
from streamer.broker.node import KafkaNode, cluster_id
from streamer.broker.ports import free_ports
from streamer.broker.properties import Node

PRODUCE, ADD_PARTITIONS, END_TRANSACTION = 0, 24, 26
"""API keys of Kafka's protocol."""

HOST = "127.0.0.1"
CHUNK_BYTES = 65_536


class Fate(Enum):
    """What becomes of a request, and with it of its connection."""

    LOST = auto()
    """It does not reach the broker."""

    TORN = auto()
    """Half of it does."""

    UNANSWERED = auto()
    """It does, but the answer is lost."""

    SWALLOWED = auto()
    """It does not, nor does anything behind it; but the connection stays."""


CUTS = (Fate.LOST, Fate.TORN, Fate.UNANSWERED)
"""Those that end the connection, of which the client knows at once."""


class Link:
    """One client's connection, on to the broker."""

    def __init__(self, client: StreamWriter, broker: StreamWriter) -> None:
        self._ends = client, broker
        self.muted = False
        """Whether the broker's next answer is the last of this link, and lost."""

    def cut(self) -> None:
        for end in self._ends:
            end.transport.abort()


class Proxy:
    """Passes connections on to `broker_port` until told otherwise; a context manager."""

    def __init__(self, port: int, broker_port: int) -> None:
        self.bootstrap = f"{HOST}:{port}"
        self.delay_seconds = 0.0
        """Of every request and of every piece of an answer."""
        self._port, self._broker_port = port, broker_port
        self._links: set[Link] = set()
        self._fates: dict[int, Fate] = {}
        self._is_down = False
        self._server: asyncio.Server | None = None

    async def strike(self, api_key: int, fate: Fate, seconds_max: float) -> None:
        """Do this to the next request of that kind, and wait until it is done."""
        self._fates[api_key] = fate
        self._struck.clear()
        async with asyncio.timeout(seconds_max):
            await self._struck.wait()

    async def down(self, seconds: float) -> None:
        """Cut all links and refuse others for a while."""
        self._is_down = True
        for link in self._links:
            link.cut()
        await asyncio.sleep(seconds)
        self._is_down = False

    # -- passing on -------------------------------------------------------------------------

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        if self._is_down:
            writer.transport.abort()
            return
        try:
            answers, broker = await asyncio.open_connection(HOST, self._broker_port)
        except OSError:
            writer.transport.abort()
            return
        link = Link(writer, broker)
        self._links.add(link)
        ways = [
            asyncio.create_task(self._requests(link, reader, broker)),
            asyncio.create_task(self._answers(link, answers, writer)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        link.cut()
        await asyncio.gather(*ways, return_exceptions=True)
        self._links.discard(link)

    async def _requests(self, link: Link, client: StreamReader, broker: StreamWriter) -> None:
        while True:
            head = await client.readexactly(6)
            size, api_key = struct.unpack(">ih", head)
            request = head + await client.readexactly(size - 2)
            await asyncio.sleep(self.delay_seconds)
            fate = self._fates.pop(api_key, None)
            if fate is not None:
                self._struck.set()
            if fate is Fate.LOST:
                return
            if fate is Fate.SWALLOWED:
                await asyncio.Event().wait()
            if fate is Fate.TORN:
                broker.write(request[: len(request) // 2])
                await broker.drain()
                return
            link.muted = fate is Fate.UNANSWERED
            broker.write(request)
            await broker.drain()

    async def _answers(self, link: Link, broker: StreamReader, client: StreamWriter) -> None:
        while answer := await broker.read(CHUNK_BYTES):
            if link.muted:
                return
            await asyncio.sleep(self.delay_seconds)
            client.write(answer)
            await client.drain()

    async def __aenter__(self) -> Self:
        self._struck = asyncio.Event()  # of this event loop: it may be entered again in another
        self._server = await asyncio.start_server(self._serve, HOST, self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for link in self._links:
            link.cut()


def proxied(folder: Path, **settings: str) -> tuple[KafkaNode, Proxy]:
    """Return a broker with its own port for tests, and a proxy for whom the network shall fail.

    `settings` are Kafka's, with underscores for dots.
    """
    port, controller_port, inner, outer = free_ports(HOST, 4)
    node = Node(node_id=1, host=HOST, port=port, controller_port=controller_port)
    own = f"PLAINTEXT://{node.bootstrap}"
    properties = {
        "listeners": f"{own},PROXIED://{HOST}:{inner},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"{own},PROXIED://{HOST}:{outer}",
        "listener.security.protocol.map": ",".join(
            f"{name}:PLAINTEXT" for name in ("PLAINTEXT", "PROXIED", "CONTROLLER")
        ),
        "inter.broker.listener.name": "PLAINTEXT",
        **{name.replace("_", "."): value for name, value in settings.items()},
    }
    options = Options(properties=properties)
    return KafkaNode(node, [node], folder, cluster_id(folder), options), Proxy(outer, inner)
