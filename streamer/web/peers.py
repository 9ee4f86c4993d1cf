"""The other workers of the group: who holds which customers, and asking them.

Each worker tells Faust its address with its membership, so after every rebalance all of them know
who holds which partition. A request about one customer goes to whoever holds it; one about all is
answered by everyone for their own, and put together by whoever was asked. What is passed on bears
a header, so that nobody passes it on again.
"""

import asyncio
from typing import TypeVar

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout, web
from yarl import URL

from streamer.engine.app import StreamerApp
from streamer.pipeline import Partition
from streamer.records.kafka import CHANGELOG
from streamer.records.partitioning import partition_of
from streamer.web.problems import Problem, not_yet

T = TypeVar("T")

PASSED_ON = "Streamer-Passed-On"
HEADERS_PASSED_ON = ("Authorization", "Content-Type")
ANSWER_SECONDS_MAX = 10.0


class Peers:
    """The workers as ``app`` knows them; ``close`` it."""

    def __init__(self, app: StreamerApp) -> None:
        self._app = app
        self._own = app.settings.http_url
        self._session: ClientSession | None = None

    async def close(self) -> None:
        """Drop the connections."""
        if self._session is not None:
            await self._session.close()

    def own(self) -> dict[int, Partition]:
        """Return the partitions that this worker can tell of: its own, with all their rows."""
        if self._app.rebalancing:
            return {}
        return {
            number: task.partition
            for number, task in sorted(self._app.tasks.items())
            if task.partition.is_restored and not task.lost
        }

    def holders(self) -> dict[int, str]:
        """Return the address of each partition's holder; some lack while partitions move."""
        changelog = self._app.settings.topics[CHANGELOG]
        found = {
            number: url
            for url, topics in self._app.router.tables_metadata().items()
            for number in topics.get(changelog, ())
        }
        # What it has itself it knows best.
        return {
            **{number: url for number, url in found.items() if url != self._own},
            **dict.fromkeys(self.own(), self._own),
        }

    def is_asked_by_a_peer(self, request: web.Request) -> bool:
        """Return whether another worker asks."""
        return PASSED_ON in request.headers

    def others(self, request: web.Request) -> list[str]:
        """Return whom else to ask: nobody where another worker asks this one.

        Raises:
            Problem: 503 while not every partition has a holder.
        """
        if len(self.own()) < len(self._app.tasks):
            raise not_yet("partitions are being recovered: ask again in a moment")
        if self.is_asked_by_a_peer(request):
            return []
        holders = self.holders()
        if len(holders) < self._app.settings.partitions:
            raise not_yet("partitions are moving between workers: ask again in a moment")
        return sorted(set(holders.values()) - {self._own})

    async def holding(self, request: web.Request, customer_id: str) -> Partition | web.Response:
        """Return a customer's partition or, if another worker holds it, that one's answer.

        Raises:
            Problem: 503 if nobody holds it now, or its holder does not answer.
        """
        key = customer_id.encode(errors="replace")
        number = partition_of(key, self._app.settings.partitions)
        partition = self.own().get(number)
        if partition is not None:
            return partition
        holder = self.holders().get(number)
        if holder is None or holder == self._own or PASSED_ON in request.headers:
            raise not_yet("the customer's partition is being recovered: ask again in a moment")
        status, headers, body = await self._ask(request, holder)
        return web.Response(status=status, body=body, headers=headers)

    async def gather(self, request: web.Request, own: T, kind: type[T]) -> list[T]:
        """Return ``own`` and what all other workers answer to ``request``.

        Raises:
            Problem: 503 if one of them does not answer.
        """
        others = self.others(request)
        answers = await asyncio.gather(*(self._ask(request, other) for other in others))
        found = [own]
        for status, _, body in answers:
            if status != 200:  # noqa: PLR2004 - HTTP's
                raise not_yet("a worker is not ready: ask again in a moment")
            found.append(msgspec.json.decode(body, type=kind))
        return found

    async def _ask(self, request: web.Request, peer: str) -> tuple[int, dict[str, str], bytes]:
        if self._session is None:
            self._session = ClientSession(timeout=ClientTimeout(total=ANSWER_SECONDS_MAX))
        passed_on = {n: request.headers[n] for n in HEADERS_PASSED_ON if n in request.headers}
        headers = {**passed_on, PASSED_ON: "1"}
        url = URL(peer + request.raw_path, encoded=True)
        try:
            async with self._session.request(
                request.method, url, headers=headers, data=await request.read()
            ) as answer:
                kept = {n: answer.headers[n] for n in ("Content-Type", "Retry-After")
                        if n in answer.headers}  # fmt: skip
                return answer.status, kept, await answer.read()
        except (ClientError, TimeoutError, OSError):
            raise Problem(
                503, f"the worker at {peer} does not answer: see STREAMER_HTTP_ADVERTISED_URL",
                headers={"Retry-After": "1"},
            ) from None  # fmt: skip
