"""Bytewax as its documentation shows it; the dataflow is `peers/bytewax.py`."""

from dataclasses import dataclass

from benchmarks.contenders import Command, Course, peer
from benchmarks.contenders.environment import python
from streamer.broker.ports import free_ports

APP = "benchmarks.peers.bytewax"
_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Bytewax:
    """A cluster of so many processes: its threads would share one interpreter."""

    title: str = "Bytewax, 1 process"
    processes: int = 1
    guarantee: str = "at least once"
    slow: bool = False

    def prepare(self, course: Course) -> None:
        """Make its output topics; its rows are in files."""
        peer.make_topics(course)

    def command(self, course: Course) -> Command:
        """Return the command of the dataflow, in an environment of its own."""
        addresses = [f"{_HOST}:{port}" for port in free_ports(_HOST, self.processes)]
        environment = {**peer.environment(course), "PEER_ADDRESSES": " ".join(addresses)}
        return Command([str(python("bytewax", course.folder)), "-m", APP], environment)

    def consumed(self, course: Course) -> int | None:
        """Return how many events were scored."""
        return peer.consumed(course, self.processes)

    def scores(self, course: Course) -> str:
        """Return the topic of the value scores."""
        return peer.value_scores(course)

    def check(self, course: Course, events: int) -> None:
        """Recount the value scores."""
        peer.check(self.title, course, events)
