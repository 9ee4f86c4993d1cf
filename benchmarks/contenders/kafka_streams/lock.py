"""Make `streams.lock` anew: `python -m benchmarks.contenders.kafka_streams.lock`."""

import tempfile
from pathlib import Path

from jgo.maven import Dependency, MavenContext

from benchmarks.contenders.kafka_streams.build import LOCK
from streamer.broker.jars import KAFKA_VERSION, locked_jars
from streamer.broker.lock import lock_line

COMPILER = "org.eclipse.jdt:ecj:3.46.0"


def lock_text() -> str:
    """Resolve Kafka Streams and the compiler; name what the broker's class path has not."""
    known = {(jar.group, jar.artifact) for jar in locked_jars()}
    wanted = f"org.apache.kafka:kafka-streams:{KAFKA_VERSION}", COMPILER
    with tempfile.TemporaryDirectory() as repository:
        context = MavenContext(repo_cache=Path(repository))
        inputs, transitive = context.resolver.resolve(list(map(context.create_dependency, wanted)))
        found: list[Dependency] = [*inputs, *transitive]
        return "".join(
            sorted(lock_line(jar) for jar in found if (jar.groupId, jar.artifactId) not in known)
        )


if __name__ == "__main__":
    comments = [line for line in LOCK.read_text().splitlines(keepends=True) if line[0] == "#"]
    LOCK.write_text("".join(comments) + lock_text())
