"""Getting one update after the other to one endpoint: tried until it is taken, or given up."""

import asyncio
import logging
import time

from aiohttp import ClientSession

from streamer.endpoints import Endpoint
from streamer.webhooks import metrics
from streamer.webhooks.answers import Answer
from streamer.webhooks.health import Health, backoff_seconds
from streamer.webhooks.messages import Message
from streamer.webhooks.posting import post

logger = logging.getLogger(__name__)

SIDE_BY_SIDE = 16
"""Requests under way at one endpoint."""


class GivenUpError(Exception):
    """The endpoint will not take an update; its message says what it answered, and how often."""


class Delivery:
    """All tries at one endpoint.

    Args:
        http: makes the requests.
        endpoint: the receiver.
        attempts_max: tries of an update which the endpoint, being well, does not take.
    """

    def __init__(self, http: ClientSession, endpoint: Endpoint, attempts_max: int) -> None:
        self._http = http
        self._endpoint = endpoint
        self._attempts_max = attempts_max
        self._health = Health()
        self._slots = asyncio.Semaphore(SIDE_BY_SIDE)
        self._probing = asyncio.Lock()
        self.posting: set[asyncio.Task[None] | None] = set()
        """Tasks whose request is under way: to cancel one is to not know what became of it."""

    async def deliver(self, message: Message) -> None:
        """Return when ``message`` is taken.

        Raises:
            GivenUpError: it was tried often enough.
        """
        counted = failures = 0
        accepted = self._health.accepted
        while True:
            answer = await self._try_in_turn(message)
            if answer.is_accepted:
                return
            # The endpoint is at fault unless it says that the update is, or takes others.
            is_well = self._health.accepted > accepted and not answer.is_busy
            accepted = self._health.accepted
            counted += answer.is_refused or is_well
            if counted >= self._attempts_max:
                raise GivenUpError(f"{self._endpoint.name} answered {counted} times: {answer}")
            await asyncio.sleep(max(answer.retry_after_seconds, backoff_seconds(failures)))
            failures += 1

    async def _try_in_turn(self, message: Message) -> Answer:
        """Try side by side with others while the endpoint is well; alone while it is down."""
        if self._health.is_down:
            async with self._probing:
                if self._health.is_down:
                    await asyncio.sleep(self._health.pause_seconds)
                    return await self._try(message)
        async with self._slots:
            return await self._try(message)

    async def _try(self, message: Message) -> Answer:
        name = self._endpoint.name
        began, task = time.monotonic(), asyncio.current_task()
        self.posting.add(task)
        try:
            answer = await post(self._http, self._endpoint, message)
        finally:
            self.posting.discard(task)
        metrics.DURATION.labels(name).observe(time.monotonic() - began)
        metrics.TRIES.labels(name, _outcome(answer)).inc()
        was_down = self._health.is_down
        if answer.is_accepted:
            self._health.succeeded()
        elif not answer.is_refused:
            self._health.failed(message.id)
        self._tell(answer, was_down=was_down)
        return answer

    def _tell(self, answer: Answer, *, was_down: bool) -> None:
        """Log it once when the endpoint goes down, and once when it is back."""
        is_down = self._health.is_down
        metrics.DOWN.labels(self._endpoint.name).set(is_down)
        if is_down and not was_down:
            logger.warning("webhook %s takes nothing (%s): waiting", self._endpoint.name, answer)
        elif was_down and not is_down:
            logger.warning("webhook %s is back", self._endpoint.name)


def _outcome(answer: Answer) -> str:
    if answer.is_accepted:
        return "accepted"
    return "refused" if answer.is_refused else "failed"
