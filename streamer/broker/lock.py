"""Make `kafka.lock` anew: `python -m streamer.broker.lock`, after a change of `KAFKA_VERSION`.

Every start works from the lock file and resolves nothing.
"""

import hashlib
import tempfile
from pathlib import Path

from jgo.maven import Dependency, MavenContext

from streamer.broker import jars

_LOG4J = "org.apache.logging.log4j"


def lock_text(version: str) -> str:
    """Resolve a Kafka version and return the text of its lock file."""
    with tempfile.TemporaryDirectory() as repository:
        context = MavenContext(repo_cache=Path(repository))
        resolved = _resolve(context, f"org.apache.kafka:kafka_2.13:{version}")
        # Kafka logs through SLF4J, and its distribution, not its POM, brings the bridge to Log4j.
        log4j = next(
            jar for jar in resolved if (jar.groupId, jar.artifactId) == (_LOG4J, "log4j-core")
        )
        resolved.append(context.create_dependency(f"{_LOG4J}:log4j-slf4j-impl:{log4j.version}"))
        return "".join(sorted(lock_line(dependency) for dependency in resolved))


def _resolve(context: MavenContext, coordinate: str) -> list[Dependency]:
    inputs, transitive = context.resolver.resolve([context.create_dependency(coordinate)])
    return [*inputs, *transitive]


def lock_line(dependency: Dependency) -> str:
    """Return the line of a lock file that names a jar and its checksum."""
    coordinate = f"{dependency.groupId}:{dependency.artifactId}:{dependency.version}"
    content = Path(dependency.artifact.resolve()).read_bytes()
    return f"{coordinate} sha256:{hashlib.sha256(content).hexdigest()}\n"


if __name__ == "__main__":
    Path(jars.__file__).with_name("kafka.lock").write_text(lock_text(jars.KAFKA_VERSION))
