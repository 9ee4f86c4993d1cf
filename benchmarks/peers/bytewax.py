"""The same scores by a dataflow of the kind that Bytewax's documentation teaches.

Kafka's own operators, a stateful map, recovery partitions with a snapshot every 10 s: at least
once, as Bytewax has no transactions.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import bytewax.operators as op
import orjson
from bytewax._bytewax import cli_main
from bytewax.connectors.kafka import KafkaSinkMessage, KafkaSourceMessage
from bytewax.connectors.kafka import operators as kafka
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir

from benchmarks.peers.progress import Progress
from benchmarks.peers.scores import Json, fold, scores

BROKERS = [os.environ["PEER_BROKER"]]
PORT, NUMBER = int(os.environ["PEER_PORT"]), int(os.environ.get("PEER_NUMBER", "0"))
ADDRESSES = os.environ["PEER_ADDRESSES"].split()
RECOVERY = Path("recovery")
RECOVERY_PARTITIONS = 4
SNAPSHOT_SECONDS = 10
CONSUMER = {
    "fetch.wait.max.ms": "50",
    "queued.min.messages": "100000",
    "max.partition.fetch.bytes": str(4 << 20),
}
PRODUCER = {
    "linger.ms": "5",
    "batch.size": str(1 << 20),
    "batch.num.messages": "100000",
    "queue.buffering.max.messages": "1000000",
}

Scored = tuple[str, tuple[bytes, Json]]
"""A customer; the key of the purchase and both scores."""

progress = Progress()


def dataflow() -> Dataflow:
    """Return the way from purchases to both scores."""
    flow = Dataflow("scores")
    source = kafka.input(
        "purchases",
        flow,
        brokers=BROKERS,
        topics=[os.environ["PEER_SOURCE"]],
        add_config=CONSUMER,
        batch_size=10_000,
    )
    customers = op.key_on("customer", source.oks, lambda message: message.key.decode())
    scored = op.stateful_map("score", customers, score)
    for name in ("ltv", "churn_risk"):
        messages = op.map(f"write-{name}", scored, sink_message(name))
        topic = os.environ[f"PEER_{name.upper()}"]
        kafka.output(f"to-{name}", messages, brokers=BROKERS, topic=topic, add_config=PRODUCER)
    return flow


def score(
    row: Json | None, message: KafkaSourceMessage[bytes, bytes]
) -> tuple[Json, tuple[bytes, Json]]:
    """Fold a purchase into its customer's row; return both scores."""
    purchase = orjson.loads(message.value)
    row = fold(purchase, row)
    progress.scored += 1
    return row, (message.key, scores(row, purchase))


def sink_message(name: str) -> Callable[[Scored], KafkaSinkMessage[bytes, bytes]]:
    """Return what makes the record of one of the two scores."""

    def make(scored: Scored) -> KafkaSinkMessage[bytes, bytes]:
        _, (key, both) = scored
        return KafkaSinkMessage(key, orjson.dumps(both[name]))

    return make


@contextmanager
def the_others() -> Iterator[None]:
    """Run more processes of the same cluster, each with the next port, until they end too."""
    if len(ADDRESSES) == NUMBER + 1:
        yield
        return
    own = {"PEER_PORT": str(PORT + 1), "PEER_NUMBER": str(NUMBER + 1)}
    with subprocess.Popen([sys.executable, "-m", "benchmarks.peers.bytewax"], env=os.environ | own):
        # Popen waits at the end: the benchmark kills what is left once this process has ended.
        yield


def main() -> None:
    """Run until ended."""
    if NUMBER == 0:
        RECOVERY.mkdir()
        init_db_dir(RECOVERY, RECOVERY_PARTITIONS)
    progress.serve()
    with the_others():
        cluster = {} if len(ADDRESSES) == 1 else {"process_id": NUMBER, "addresses": ADDRESSES}
        cli_main(
            dataflow(),
            epoch_interval=timedelta(seconds=SNAPSHOT_SECONDS),
            recovery_config=RecoveryConfig(str(RECOVERY)),
            **cluster,
        )


if __name__ == "__main__":
    main()
