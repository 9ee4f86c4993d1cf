"""Score changes as they are published, as server-sent events."""

import asyncio
import time
from typing import Annotated

from aiohttp import web
from msgspec import UNSET, Meta, Struct, UnsetType

from streamer.records.kafka import Kind
from streamer.web.changes import Subscription
from streamer.web.problems import not_yet
from streamer.web.routing import EVENTS, GUARDS, Call, Route, given

HEARTBEAT_SECONDS = 15.0
"""How often something is sent though nothing happens: proxies drop what is silent."""


class ChangesQuery(Struct, frozen=True):
    """Which changes, and how many at most."""

    kind: Kind | UnsetType = UNSET
    customer_id: Annotated[str, Meta(min_length=1, max_length=128)] | UnsetType = UNSET
    per_second_max: Annotated[int, Meta(ge=1, le=1000)] = 100


async def stream_changes(call: Call) -> web.StreamResponse:
    """Send what is published from now on; what is too much is left out and counted."""
    query: ChangesQuery = call.query
    subscription = call.site.changes.subscribe(given(query.kind), given(query.customer_id))
    if subscription is None:
        raise not_yet("too many listen already: read the topics with a Kafka client")
    response = web.StreamResponse(headers={**GUARDS, "Content-Type": EVENTS})
    try:
        await response.prepare(call.request)
        await response.write(b"retry: 2000\n\n")
        await _send(response, subscription, 1 / query.per_second_max)
    except ConnectionError:
        pass  # the client is gone
    finally:
        await call.site.changes.unsubscribe(subscription)
    return response


async def _send(response: web.StreamResponse, subscription: Subscription, pause: float) -> None:
    while True:
        began = time.monotonic()
        try:
            event = await asyncio.wait_for(subscription.next(), timeout=HEARTBEAT_SECONDS)
        except TimeoutError:
            event = b": nothing new\n\n"
        if event is None:
            return
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
        media_type=EVENTS,
    ),
)
