"""Events in, for shops without a Kafka client."""

from typing import Annotated

from msgspec import Meta, Raw, Struct

from streamer.web.intake import Taken
from streamer.web.routing import Call, Route


class EventBatch(Struct, frozen=True, forbid_unknown_fields=True):
    """Events as they would stand on the topics, bare or as CloudEvents; see ``schemas/``."""

    events: Annotated[list[Raw], Meta(min_length=1, max_length=1000)]


class Intake(Struct, frozen=True):
    """What became of a batch."""

    accepted: int
    """So many are on their topics, with all replicas in sync."""
    refused: int
    events: list[Taken]
    """One for each, in their order."""


async def take_events(call: Call) -> Intake:
    """Publish events; answered when they are durable."""
    batch: EventBatch = call.body
    taken = await call.site.intake.take([bytes(one) for one in batch.events], call.site.now())
    accepted = sum(one.status == "accepted" for one in taken)
    return Intake(accepted, len(taken) - accepted, taken)


ROUTES = (
    Route(
        method="POST",
        path="/v1/events",
        handler=take_events,
        summary="Publish events; one that is sent again counts once, by its event_id",
        tag="events",
        answer=Intake,
        body=EventBatch,
        scope="write",
        problems=(413, 415),
    ),
)
