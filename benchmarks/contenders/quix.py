"""Quix Streams as its documentation shows it; the application is `peers/quix.py`."""

from dataclasses import dataclass

from benchmarks.contenders import Command, Course, peer
from benchmarks.contenders.environment import python

APP = "benchmarks.peers.quix"


@dataclass(frozen=True, slots=True)
class QuixStreams:
    """So many processes of one group: Quix has no threads for that."""

    title: str = "Quix Streams, 1 process"
    processes: int = 1
    guarantee: str = "exactly once"
    slow: bool = False

    def prepare(self, course: Course) -> None:
        """Make its output topics; it makes its changelog itself."""
        peer.make_topics(course)

    def command(self, course: Course) -> Command:
        """Return the command of the application, in an environment of its own."""
        interpreter = str(python("quix", course.folder))
        environment = {**peer.environment(course), "PEER_PROCESSES": str(self.processes)}
        return Command([interpreter, "-m", APP], environment)

    def consumed(self, course: Course) -> int | None:
        """Return how many events were scored."""
        return peer.consumed(course, self.processes)

    def scores(self, course: Course) -> str:
        """Return the topic of the value scores."""
        return peer.value_scores(course)

    def check(self, course: Course, events: int) -> None:
        """Recount the committed value scores."""
        peer.check(self.title, course, events)
