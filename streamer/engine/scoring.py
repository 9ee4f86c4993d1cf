"""Scores for several partitions by one call: a call costs as much as some forty customers.

Each partition's unit of work stays a transaction of its own; only the making of the scores is
shared. Nobody waits for company: whoever asks is served as soon as the event loop comes round, with
all who have asked by then. So a busy worker, whose partitions become ready while another's unit is
being worked on, shares a lot, and an idle one loses nothing.
"""

import asyncio
from collections import deque
from datetime import UTC, datetime
from typing import NamedTuple

from streamer.pipeline import Asked, Configuration, Message, scored
from streamer.scoring.parameters import ScoringParameters

TOGETHER_MAX = 1_000
"""Customers beyond which a call serves no other: they gain nothing, and the event loop waits."""

Updates = dict[str, list[Message]]


class _Request(NamedTuple):
    asked: Asked
    parameters: ScoringParameters
    answer: asyncio.Future[Updates]


class SharedScoring:
    """Makes the scores that the partitions of a worker ask for."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._requests: deque[_Request] = deque()

    async def updates(self, asked: Asked, parameters: ScoringParameters) -> Updates:
        """Return what ``asked`` leads to, by topic."""
        if not asked.scorings:
            return {}
        loop = asyncio.get_running_loop()
        request = _Request(asked, parameters, loop.create_future())
        if not self._requests:
            loop.call_soon(self._serve)
        self._requests.append(request)
        return await request.answer

    def _serve(self) -> None:
        requests = self._taken()
        if self._requests:
            asyncio.get_running_loop().call_soon(self._serve)
        requests = [request for request in requests if not request.answer.cancelled()]
        if not requests:
            return
        asked, parameters = [request.asked for request in requests], requests[0].parameters
        try:
            answers = scored(asked, datetime.now(UTC), self._configuration, parameters)
        except Exception as error:  # noqa: BLE001 - a bug: it ends the units that have asked
            for request in requests:
                request.answer.set_exception(error)
            return
        for request, answer in zip(requests, answers, strict=True):
            request.answer.set_result(answer)

    def _taken(self) -> list[_Request]:
        """Take those who are served by one call: by one model, and not too many."""
        taken = [self._requests.popleft()]
        generation, customers = taken[0].parameters.generation, len(taken[0].asked.scorings)
        while self._requests:
            one = self._requests[0]
            customers += len(one.asked.scorings)
            if one.parameters.generation != generation or customers > TOGETHER_MAX:
                break
            taken.append(self._requests.popleft())
        return taken
