"""Score changes as they are published, as server-sent events."""

import asyncio
import time
from typing import Annotated

from aiohttp import web
from msgspec import UNSET, Meta, Struct, UnsetType

from streamer.records.kafka import Kind
from streamer.web.cursors import positions_of
from streamer.web.listeners import Listener
from streamer.web.problems import Problem, not_yet
from streamer.web.routing import EVENTS, GUARDS, Call, Route, given

HEARTBEAT_SECONDS = 15.0
"""How often something is sent though nothing happens: proxies drop what is silent."""

LAST_EVENT_ID = "Last-Event-ID"
"""Browsers' EventSource sends it by itself."""


class ChangesQuery(Struct, frozen=True):
    """Which changes, and how many at most."""

    kind: Kind | UnsetType = UNSET
    customer_id: Annotated[str, Meta(min_length=1, max_length=128)] | UnsetType = UNSET
    per_second_max: Annotated[int, Meta(ge=1, le=1000)] = 100


async def stream_changes(call: Call) -> web.StreamResponse:
    """Send what is published from now on, or since the id in ``Last-Event-ID``."""
    listener = _listener(call)
    response = web.StreamResponse(headers={**GUARDS, "Content-Type": EVENTS})
    try:
        await response.prepare(call.request)
        await response.write(b"retry: 2000\n\n")
        await _send(response, listener, 1 / call.query.per_second_max)
    except ConnectionError:
        pass  # the client is gone
    finally:
        await call.site.changes.leave(listener)
    return response


def _listener(call: Call) -> Listener:
    """Return the listener that is asked for.

    Raises:
        Problem: the id is not of this stream, or too many listen.
    """
    changes, query = call.site.changes, call.query
    wanted = changes.filter(given(query.kind), given(query.customer_id))
    last = call.request.headers.get(LAST_EVENT_ID)
    positions = positions_of(wanted.tps, last) if last else None
    if last and positions is None:
        raise Problem(400, "it is no id of a stream with these parameters", LAST_EVENT_ID)
    listener = changes.listen(wanted, positions)
    if listener is None:
        raise not_yet("too many listen already: read the topics with a Kafka client")
    return listener


async def _send(response: web.StreamResponse, listener: Listener, pause: float) -> None:
    while (event := await listener.next(HEARTBEAT_SECONDS)) is not None:
        began = time.monotonic()
        await response.write(event)
        await asyncio.sleep(max(0.0, pause - (time.monotonic() - began)))


ROUTES = (
    Route(
        path="/v1/changes",
        handler=stream_changes,
        summary="Scores, segments and actions as they change, as server-sent events",
        tag="changes",
        answer=str,
        query=ChangesQuery,
        headers={
            LAST_EVENT_ID: "The id of the last event had: the stream goes on behind it, at any "
            "worker. It is of one kind and customer_id; with others it is refused."
        },
        media_type=EVENTS,
    ),
)
