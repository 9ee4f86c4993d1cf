"""A webhook's receiver on this machine, as a marketing tool would have it, moods included."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Self

from aiohttp import web
from standardwebhooks import Webhook

from streamer.broker.ports import free_ports

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


class Request(NamedTuple):
    """A request whose signature is right."""

    id: str
    type: str
    timestamp: str
    data: dict[str, Any]
    status: int
    """What it was answered."""


Mood = Callable[[str, dict[str, Any], int], Awaitable[int]]
"""Of an id, its data and how often it has come: the status to answer with."""


async def friendly(id_: str, data: dict[str, Any], time: int) -> int:
    return 204


class Receiver:
    """Listens at one port, on and off; a context manager."""

    def __init__(self, mood: Mood = friendly) -> None:
        (self.port,) = free_ports("127.0.0.1", 1)
        self.mood = mood
        self.requests: list[Request] = []
        self.headers: dict[str, str] = {}
        """To answer with."""
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook/t0ken?k=v%2Fw"

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self, context: ssl.SSLContext | None = None) -> None:
        application = web.Application()
        application.add_routes([web.post("/hook/t0ken", self._answer)])
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=context).start()

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def accepted(self) -> list[Request]:
        """What was taken, each the first time, in that order."""
        first: dict[str, Request] = {}
        for request in self.requests:
            if request.status < 300:
                first.setdefault(request.id, request)
        return list(first.values())

    async def until(self, number: int, seconds: float = 120) -> list[Request]:
        """Return what was taken as soon as it is so many."""
        async with asyncio.timeout(seconds):
            while len(self.accepted) < number:
                await asyncio.sleep(0.05)
        return self.accepted

    async def _answer(self, request: web.Request) -> web.Response:
        assert request.rel_url.raw_query_string == "k=v%2Fw"
        body = await request.read()
        Webhook(SECRET).verify(body, dict(request.headers))  # raises: the answer is 500 then
        told, id_ = json.loads(body), request.headers["webhook-id"]
        time = sum(one.id == id_ for one in self.requests) + 1
        status = await self.mood(id_, told["data"], time)
        self.requests.append(Request(id_, told["type"], told["timestamp"], told["data"], status))
        return web.Response(status=status, headers=self.headers)
