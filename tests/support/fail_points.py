"""A worker that ends itself, as a crash would, at one step of a unit of work.

Run as a program in `streamer worker`'s place: it wraps what the steps call, in its own process
only, and then is that worker. The product knows nothing of it, so there is nothing to switch off.

    python -P fail_points.py STEP UNIT

STEP is one of `STEPS`; UNIT counts the units of work that score somebody, from 1.
"""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from aiokafka import AIOKafkaProducer

from streamer.cli import main
from streamer.engine import transaction
from streamer.pipeline import Message, Partition, UnitOfWork
from streamer.records.kafka import CHANGELOG, CHURN_RISK_UPDATES, LTV_UPDATES

STEPS = (
    "after_fold",
    "after_changelog",
    "after_scores",
    "before_commit",
    "after_commit",
    "after_memory",
)
"""After commit, the rows in memory are still the old ones; after memory, they are the new."""

EXIT_CODE = 77
LAST_WORDS = "fail point "
SCORES = (LTV_UPDATES, CHURN_RISK_UPDATES)
ORDER = (CHANGELOG, *SCORES)
"""What is written first here, so that a step can come after it: within a transaction the order of
topics means nothing."""


class FailPoint:
    """Ends the process at a step of one unit of work, with a line that says which."""

    def __init__(self, step: str, unit: int) -> None:
        self._step, self._left = step, unit
        self._unit: UnitOfWork | None = None
        """The one; those of other partitions go on beside it."""

    def folded(self, unit: UnitOfWork) -> None:
        """Choose the unit."""
        if self._unit is None and any(_kind(topic) == LTV_UPDATES for topic, _ in unit.messages):
            self._left -= 1
            if not self._left:
                self._unit = unit

    def reach(self, step: str, unit: UnitOfWork) -> None:
        """End here, if this is the step of that unit."""
        if step != self._step or unit is not self._unit:
            return
        partition = next(number for topic, number in unit.messages if _kind(topic) == CHANGELOG)
        told = {"step": step, "partition": partition, "next": unit.checkpoint.next_offsets}
        os.write(1, f"\n{LAST_WORDS}{json.dumps(told)}\n".encode())
        os._exit(EXIT_CODE)


def _kind(topic: str) -> str:
    """Return a topic's name without the prefix."""
    return next((name for name in ORDER if topic.endswith(name)), "")


def _in_order(unit: UnitOfWork) -> None:
    """Put changelog and scores in front."""
    rank = {name: place for place, name in enumerate(ORDER)}
    ordered = sorted(unit.messages.items(), key=lambda entry: rank.get(_kind(entry[0][0]), 9))
    unit.messages = dict(ordered)


def install(point: FailPoint) -> None:
    """Wrap the steps of this process."""
    _wrap_transaction(point)
    _wrap_memory(point)


def _wrap_transaction(point: FailPoint) -> None:
    write, send = transaction.write, transaction._send
    units: dict[AIOKafkaProducer, UnitOfWork] = {}

    async def send_and_fail(
        producer: AIOKafkaProducer, topic: str, partition: int, messages: Sequence[Message]
    ) -> list[asyncio.Future[object]]:
        sent = await send(producer, topic, partition, messages)
        if _kind(topic) in ORDER:
            await asyncio.wait(sent)  # acknowledged, before the next topic is sent
            after = {CHANGELOG: "after_changelog", SCORES[-1]: "after_scores"}
            point.reach(after.get(_kind(topic), ""), units[producer])
        return sent

    async def write_and_fail(producer: AIOKafkaProducer, unit: UnitOfWork) -> dict[str, int]:
        _in_order(unit)
        point.folded(unit)
        point.reach("after_fold", unit)
        units[producer] = unit
        end = producer.commit_transaction

        async def commit_transaction() -> None:
            point.reach("before_commit", unit)
            await end()

        producer.commit_transaction = commit_transaction
        try:
            return await write(producer, unit)
        finally:
            producer.commit_transaction = end

    transaction._send, transaction.write = send_and_fail, write_and_fail


def _wrap_memory(point: FailPoint) -> None:
    commit = Partition.commit

    def commit_and_fail(self: Partition, unit: UnitOfWork) -> None:
        point.reach("after_commit", unit)
        commit(self, unit)
        point.reach("after_memory", unit)

    Partition.commit = commit_and_fail  # type: ignore[method-assign] # that is what it is for


if __name__ == "__main__":
    install(FailPoint(sys.argv[1], int(sys.argv[2])))
    sys.argv = [str(Path(sys.executable).with_name("streamer")), "worker"]
    main()
