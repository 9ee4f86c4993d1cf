"""F7: the broker refuses what the worker writes. Nothing moves, and the last words say why."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pytest

from streamer.broker import EmbeddedKafka
from streamer.records.kafka import CHANGELOG, LTV_UPDATES
from tests.support.audit import Audit, auditing
from tests.support.load import BusyShop, Wire, send_all
from tests.support.obstacles import (
    AUTHORIZER,
    Obstacle,
    allow_writing,
    deny_writing,
    take_small_messages_only,
    take_usual_messages,
)
from tests.support.oracle import count
from tests.support.scenario import SPAN
from tests.support.stage import Stage, stage
from tests.support.worker import Worker

SEED = 7
EVENTS = 400
GIVES_UP_SECONDS_MAX = 60


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """A Kafka that asks what clients may do."""
    with EmbeddedKafka(tmp_path_factory.mktemp("guarded"), properties=AUTHORIZER) as broker:
        yield broker


class Refusal(NamedTuple):
    """What the broker refuses, how that comes and goes, and what must be said of it."""

    topic: str
    hinder: Obstacle
    remedy: Obstacle
    reason: str


OVERSIZED = Refusal(CHANGELOG, take_small_messages_only, take_usual_messages, "MessageSizeTooLarge")
FORBIDDEN = Refusal(LTV_UPDATES, deny_writing, allow_writing, "TopicAuthorizationFailed")


@pytest.mark.parametrize("refusal", [OVERSIZED, FORBIDDEN], ids=["oversized", "forbidden"])
async def test_what_the_broker_refuses_is_not_passed_over(
    guarded: EmbeddedKafka, tmp_path: Path, summary: Callable[..., None], refusal: Refusal
) -> None:
    shop = filter(is_scored_at_home, BusyShop(SEED, datetime.now(UTC) - SPAN, SPAN, 2 * EVENTS))
    before, after = (list(islice(shop, EVENTS)) for _ in range(2))
    with stage(guarded.bootstrap, tmp_path) as corner:
        worker = corner.worker("worker")
        async with auditing(corner) as audit:
            worker.start()
            await send_all(corner.bootstrap, before, corner.prefix)
            await audit.consumed()
            await check_refusal(corner, worker, audit, after, refusal)
            worker.start()
            await audit.consumed()
            assert await worker.stop() == 0, worker.told("did not end well")
            await audit.read()
    audit.check(count(wire.event for wire in (*before, *after)))
    summary(f"F7 {refusal.reason}", events=2 * EVENTS, rows=len(audit.rows))


async def check_refusal(
    corner: Stage, worker: Worker, audit: Audit, wires: list[Wire], refusal: Refusal
) -> None:
    """The worker ends, tells why, and has taken no step."""
    offsets, rows = offsets_of(audit), dict(audit.rows)
    name = corner.prefix + refusal.topic
    await refusal.hinder(corner.bootstrap, name)
    worker.may_leave = True
    await send_all(corner.bootstrap, wires, corner.prefix)
    assert await worker.ended(GIVES_UP_SECONDS_MAX) > 0, worker.told("ended well")
    worker.may_leave = False
    said = [line for line in worker.log.splitlines() if line.startswith("streamer: ")]
    assert len(said) == 1, worker.told("does not say why it ended")
    assert refusal.reason in said[0]
    assert name in said[0]
    await audit.read()
    assert (offsets_of(audit), audit.rows) == (offsets, rows)
    await refusal.remedy(corner.bootstrap, name)


def is_scored_at_home(wire: Wire) -> bool:
    """Return whether it leads to a row and a score, and to nothing in other partitions."""
    event = wire.event
    return event is not None and event["type"] == "purchase" and wire.partition is None


def offsets_of(audit: Audit) -> dict[int, dict[str, int]]:
    return {number: one.next_offsets for number, one in audit.checkpoints.items()}
