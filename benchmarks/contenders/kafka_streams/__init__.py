"""Kafka Streams as its documentation shows it; the application is in `java`.

The Processor API, a persistent key-value store with its changelog and its cache, exactly_once_v2.
"""

from dataclasses import dataclass

from benchmarks.contenders import Command, Course, peer
from benchmarks.contenders.kafka_streams.build import compiled
from streamer.broker.java import find_java

_JVM = "-Xms1g", "-Xmx1g", "-XX:+UseParallelGC", "-Dlog4j2.level=WARN"


@dataclass(frozen=True, slots=True)
class KafkaStreams:
    """One instance with so many threads; `commit_ms` None leaves the default of 100 ms."""

    title: str
    threads: int = 1
    commit_ms: int | None = None
    guarantee: str = "exactly once"
    slow: bool = False

    def prepare(self, course: Course) -> None:
        """Make its output topics; it makes its changelog itself."""
        peer.make_topics(course)

    def command(self, course: Course) -> Command:
        """Compile, and return the command of the application."""
        environment = {**peer.environment(course), "PEER_THREADS": str(self.threads)}
        if self.commit_ms is not None:
            environment["PEER_COMMIT_MS"] = str(self.commit_ms)
        classes = compiled(course.folder)
        return Command([str(find_java()), *_JVM, "-cp", classes, "Main"], environment)

    def consumed(self, course: Course) -> int | None:
        """Return how many events were scored."""
        return peer.consumed(course)

    def scores(self, course: Course) -> str:
        """Return the topic of the value scores."""
        return peer.value_scores(course)

    def check(self, course: Course, events: int) -> None:
        """Recount the committed value scores."""
        peer.check(self.title, course, events)
