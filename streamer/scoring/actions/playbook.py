"""Which actions suit whom, ranked: a function of the score and of the rules.

What was suggested before has its say elsewhere (see ``pipeline.recommending``): the cap, and what
became of a suggestion.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from streamer.errors import StreamerError
from streamer.scoring.expressions import Frame

LEAVE_ALONE = "leave_alone"
"""The action of whom nothing else suits."""

_TRUE = 2
Reason = tuple[tuple[str, str], ...]
"""Texts, each with the field of an update that follows it, "" where none does."""

Condition = Callable[[Frame], NDArray[np.int8]]
Figure = Callable[[Frame], NDArray[np.float64]]


class PlaybookError(StreamerError):
    """A rule cannot be as it is written."""


class Cap(Struct, frozen=True, forbid_unknown_fields=True):
    """At most so many new suggestions to a customer within so many days."""

    suggestions: int
    days: float

    def __post_init__(self) -> None:
        if self.suggestions < 1 or self.days <= 0:
            raise ValueError("the cap is 1 suggestion or more in more than 0 days")


class Rule(Struct, frozen=True):
    """An action, compiled. See ``actions.toml`` for what each part means."""

    name: str
    version: int
    when: Condition
    money: tuple[Figure, ...]
    """The first that is known counts."""
    deadline: Figure
    """In seconds since 1970; one that is over rules the action out."""
    reasons: tuple[Reason, ...]
    """In words; the first that names nothing null counts."""
    urgency: int
    selling: bool


class Choice(Struct, frozen=True, gc=False):
    """An action that suits a customer. Money in the reporting currency, the deadline in seconds."""

    rule: Rule
    money: float | None
    deadline: float


class Playbook(Struct, frozen=True):
    """A shop's rules, compiled."""

    version: int = 0
    rules: tuple[Rule, ...] = ()
    cap: Cap = Cap(1, 1)
    stop_selling: Condition | None = None
    """Where true nothing is sold."""
    thresholds: Mapping[str, float] = {}

    def choices(self, frame: Frame) -> "Choices":
        """Return what suits each customer; ``frame`` holds the segments' columns."""
        for name, threshold in self.thresholds.items():
            frame.add(name, np.array(threshold))
        stopped = np.zeros(len(frame), dtype=bool)
        if self.stop_selling is not None:
            stopped = self.stop_selling(frame) == _TRUE
        as_of = frame.column("as_of")
        suits, money, deadlines = [], [], []
        for rule in self.rules:
            deadline = rule.deadline(frame)
            fits = (rule.when(frame) == _TRUE) & (deadline > as_of)
            suits.append(fits & ~stopped if rule.selling else fits)
            money.append(_first_known(rule.money, frame))
            deadlines.append(deadline)
        return Choices(self.rules, np.array(suits).T, np.array(money).T, np.array(deadlines).T)


class Choices:
    """What suits n customers; arrays have shape (n, rules)."""

    def __init__(
        self,
        rules: Sequence[Rule],
        suits: NDArray[np.bool_],
        money: NDArray[np.float64],
        deadlines: NDArray[np.float64],
    ) -> None:
        urgency = np.array([rule.urgency for rule in rules])
        # By urgency, then by money: lexsort takes the last key first.
        keys = (-np.nan_to_num(money), np.broadcast_to(urgency, money.shape), ~suits)
        order = np.lexsort(keys, axis=1)
        self._order: list[list[int]] = order.tolist()
        self._count: list[int] = suits.sum(axis=1).tolist()
        self._rules, self._money, self._deadlines = rules, money, deadlines

    def ranked(self, place: int) -> list[int]:
        """Return the rules' places that suit the customer at ``place``, the best first."""
        return self._order[place][: self._count[place]]

    def choice(self, place: int, rule: int) -> Choice:
        """Return a rule with what is at stake for the customer at ``place``."""
        money = float(self._money[place, rule])
        return Choice(
            self._rules[rule],
            None if np.isnan(money) else money,
            float(self._deadlines[place, rule]),
        )


def _first_known(figures: Sequence[Figure], frame: Frame) -> NDArray[np.float64]:
    found = figures[0](frame)
    for figure in figures[1:]:
        if not np.isnan(found).any():
            break
        found = np.where(np.isnan(found), figure(frame), found)
    return found


def reason_of(reasons: Sequence[Reason], updates: Sequence[Any]) -> str:
    """Return the first of ``reasons`` that names nothing null; else the last, with ``?``."""
    text = ""
    for reason in reasons:
        values = [(literal, field and _told(field, updates)) for literal, field in reason]
        text = "".join([literal + ("?" if value is None else value) for literal, value in values])
        if not any(value is None for _, value in values):
            break
    return text


def _told(field: str, updates: Sequence[Any]) -> str | None:
    for update in updates:
        value = getattr(update, field, None)
        if value is not None:
            return _readable(value)
    return None


def _readable(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, tuple):
        return ", ".join(value)
    return f"{value:.2f}".rstrip("0").rstrip(".") if type(value) is float else str(value)


NO_ACTIONS = Playbook()
