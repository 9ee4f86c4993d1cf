"""Who is measured: one module each, with the interface of `Contender`.

A peer, such as Kafka Streams or Quix, is one more module here and one more name in `run`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What a contender gets for one run.

    Attributes:
        bootstrap: Kafka's address.
        prefix: The first part of the name of the input topic, `<prefix>purchases`.
        partitions: Of the input topic; other topics shall have as many.
        group_id: No run before this one had it.
        http_port: A free one, for metrics.
        folder: For its files.
    """

    bootstrap: str
    prefix: str
    partitions: int
    group_id: str
    http_port: int
    folder: Path

    @property
    def source(self) -> str:
        """The input topic."""
        return f"{self.prefix}purchases"


@dataclass(frozen=True, slots=True)
class Command:
    """How a contender's process is started."""

    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


class Contender(Protocol):
    """Something that reads purchases and writes scores.

    It starts from nothing in each run, reads the input from its beginning and goes on until it is
    ended. For each event (or for the last one of a customer in a batch) it writes two scores, to
    one topic for value and one for churn risk.
    """

    @property
    def title(self) -> str:
        """What tables call it."""

    @property
    def guarantee(self) -> str:
        """What it promises: "exactly once" or "at least once"."""

    @property
    def slow(self) -> bool:
        """Whether a small part of the input is enough to know its rate."""

    def prepare(self, course: Course) -> None:
        """Make its topics, and take away what an earlier run left in them."""

    def command(self, course: Course) -> Command:
        """Return how its process is started."""

    def consumed(self, course: Course) -> int | None:
        """Return how many events it is done with; None as long as it does not answer."""

    def scores(self, course: Course) -> str:
        """Return the topic of its value scores: JSON whose `cause.id` is the event's id."""

    def check(self, course: Course, events: int) -> None:
        """Raise `BenchmarkError` unless the first `events` are all in what it wrote."""
