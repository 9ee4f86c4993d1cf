"""The same scores by an application of the kind that Quix Streams' documentation teaches.

A streaming data frame, a stateful function, exactly once, two output topics.

Two branches of the data frame, one for each topic, would read better, but Quix pickles a value for
every branch: one value goes to both topics, and each topic's serializer picks its score.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import orjson
from quixstreams import Application, State
from quixstreams.models import Serializer

from benchmarks.peers.progress import Progress
from benchmarks.peers.scores import Json, fold, scores

PORT, PROCESSES = int(os.environ["PEER_PORT"]), int(os.environ["PEER_PROCESSES"])

progress = Progress()


class Score(Serializer):
    """Writes one of the two scores of a value."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def __call__(self, value: Json, ctx: object) -> bytes:  # noqa: ARG002 - Quix passes it
        """Return JSON."""
        return orjson.dumps(value[self._name])


def main() -> None:
    """Run until ended."""
    app = Application(
        broker_address=os.environ["PEER_BROKER"],
        consumer_group=os.environ["PEER_ID"],
        processing_guarantee="exactly-once",
        auto_offset_reset="earliest",
        state_dir=f"state-{PORT}",
        loglevel="WARNING",
        on_message_processed=count,
        consumer_extra_config={
            "fetch.wait.max.ms": 50,
            "queued.min.messages": 100_000,
            "max.partition.fetch.bytes": 4 << 20,
        },
        producer_extra_config={
            "linger.ms": 50,
            "batch.size": 1 << 20,
            "batch.num.messages": 100_000,
            "queue.buffering.max.messages": 1_000_000,
        },
    )
    purchases = app.topic(os.environ["PEER_SOURCE"], key_deserializer="bytes")
    frame = app.dataframe(purchases).apply(score, stateful=True)
    for name in ("ltv", "churn_risk"):
        topic = os.environ[f"PEER_{name.upper()}"]
        frame = frame.to_topic(
            app.topic(topic, key_serializer="bytes", value_serializer=Score(name))
        )
    progress.serve()
    app.run()


def count(topic: str, partition: int, offset: int) -> None:  # noqa: ARG001 - Quix passes them
    """Take note of a purchase that is done."""
    progress.scored += 1


def score(purchase: Json, state: State) -> Json:
    """Fold a purchase into its customer's row; return both scores."""
    row = fold(purchase, state.get("row"))
    state.set("row", row)
    return scores(row, purchase)


@contextmanager
def the_others() -> Iterator[None]:
    """Run more processes of the same group, each with the next port, until they end too."""
    if PROCESSES == 1:
        yield
        return
    own = {"PEER_PORT": str(PORT + 1), "PEER_PROCESSES": str(PROCESSES - 1)}
    with subprocess.Popen([sys.executable, "-m", "benchmarks.peers.quix"], env=os.environ | own):
        # Popen waits at the end: the benchmark kills what is left once this process has ended.
        yield


if __name__ == "__main__":
    with the_others():
        main()
