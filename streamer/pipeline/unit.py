"""What goes in and comes out of a unit of work."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec import Struct

from streamer.records.instants import DAY, NEVER
from streamer.records.kafka import Headers, Topics
from streamer.scoring.actions import NO_ACTIONS, Playbook
from streamer.scoring.experiments.plans import Trial
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.programme.goals import Goals
from streamer.scoring.segments import NO_SEGMENTS, Segmentation
from streamer.serdes.events import EventDecoder
from streamer.serdes.rows import Checkpoint


class Message(Struct, frozen=True, gc=False):
    """A record to be written."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp: int | None = None
    """Milliseconds since 1970; none lets the producer set its own."""


@dataclass(slots=True)
class UnitOfWork:
    """All that one transaction writes, and what was counted on the way."""

    messages: dict[tuple[str, int], list[Message]] = field(default_factory=dict)
    rows: dict[str, bytes] = field(default_factory=dict)
    told: dict[str, bytes] = field(default_factory=dict)
    """What was told last, encoded, of whom something new is told."""
    alike: Counter[str] = field(default_factory=Counter)
    """By segments, joined: how many customers more were told to be in just these."""
    crossed: list[str] = field(default_factory=list)
    """Customers of whose silence is told; no row need be written for that."""
    checkpoint: Checkpoint = field(default_factory=lambda: Checkpoint({}, NEVER, NEVER))
    counts: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Of suggestions, by action and what became of it."""

    def send(self, topic: str, partition: int, message: Message) -> None:
        """Add ``message`` to what is written."""
        self.messages.setdefault((topic, partition), []).append(message)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What all partitions of a shop share. Durations in microseconds."""

    decoder: EventDecoder
    scoring: ScoringParameters = field(default_factory=ScoringParameters)
    segmentation: Segmentation = NO_SEGMENTS
    playbook: Playbook = NO_ACTIONS
    topics: Topics = field(default_factory=Topics)
    partitions: int = 1
    lateness: int = 30 * DAY
    future_tolerance: int = DAY
    every_event: bool = False
    trials: Mapping[str, Trial] = field(default_factory=dict)
    """The experiments that the shop has planned."""
    goals: Goals = field(default_factory=Goals)
    indexed: bool = False
    """Whether customers are to be found by segment, band and tier: see ``index``."""
    version: str = ""

    def __post_init__(self) -> None:
        if self.scoring.currency != self.decoder.reporting_currency:
            raise ValueError("decoder and scores must have one reporting currency")
