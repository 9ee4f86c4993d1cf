"""Announcements: what is told only when it changes. The field names are the wire's."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from streamer.records.scores import SCHEMA_VERSION, Scored

Outcome = Literal["purchased", "expired", "withdrawn"]
"""What became of a suggestion: a purchase by the deadline, none, or another came in its place."""


class Action(Struct, frozen=True, gc=False):
    """Something to do for a customer."""

    rank: int
    """From 1."""
    action: str
    version: int
    """Of its rule."""
    reason: str
    money_at_stake: str | None
    deadline: datetime | None


class PreviousAction(Struct, frozen=True, gc=False):
    """What was first on the list before, and what became of it."""

    action: str
    version: int
    suggested_at: datetime
    deadline: datetime | None
    outcome: Outcome


class RecommendedActions(Scored, frozen=True):
    """What to do next for a customer, the best first."""

    currency: str
    rules_version: int
    actions: tuple[Action, ...]
    previous: PreviousAction | None
    schema_version: int = SCHEMA_VERSION


class SegmentChange(Scored, frozen=True, gc=False):
    """A customer entered or left segments."""

    entered: tuple[str, ...]
    left: tuple[str, ...]
    segments: tuple[str, ...]
    """All that the customer is in now: the topic is compacted, and the last record says it all."""
    schema_version: int = SCHEMA_VERSION
