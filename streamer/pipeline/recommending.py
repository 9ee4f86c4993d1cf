"""The one ranked list of a customer, against the list that stands.

The rules:

- The list is what suits the customer by the rules, the best first; if nothing does, to leave them
  alone. It is told when names, versions or order change, and when what came of its first is known.
- The first of the list is the suggestion. It stands, with its deadline, until a purchase follows
  (``purchased``), the deadline passes (``expired``) or another comes first (``withdrawn``).
- A new suggestion that sells counts against the cap. Whoever has had as many as the cap allows is
  sold nothing new: only what does not sell stays on the list.
- Nobody is at the customer's side when a deadline passes without a score: the outcome is told with
  the next one. (The deadline of a win-back offer is a band crossing, so there is one.)
"""

from datetime import datetime

from msgspec.structs import replace

from streamer.records.announcements import Action, Outcome, PreviousAction, RecommendedActions
from streamer.records.instants import DAY, EPOCH, LAST, MICROSECOND, from_datetime
from streamer.records.money import UNIT, format_amount, minor_digits
from streamer.records.scores import LtvUpdate, shared
from streamer.scoring.actions import LEAVE_ALONE, Choice, Playbook
from streamer.scoring.actions.playbook import reason_of
from streamer.scoring.expressions import Frame
from streamer.state.told import Told

_ALONE = (f"{LEAVE_ALONE}@1",)
_SUITS = "nothing suits"
_CAPPED = "was suggested enough for now"
_ALONE_BECAUSE = {why: (Action(1, LEAVE_ALONE, 1, why, None, None),) for why in (_SUITS, _CAPPED)}


class Adviser:
    """Compares what suits each customer of a batch with what was told."""

    def __init__(self, playbook: Playbook, frame: Frame) -> None:
        self._playbook, self._frame = playbook, frame
        self._choices = playbook.choices(frame)
        self._as_of = [_instant(seconds) for seconds in frame.column("as_of").tolist()]
        self._names = [f"{rule.name}@{rule.version}" for rule in playbook.rules]

    def advice(self, place: int, told: Told) -> tuple[Told, RecommendedActions] | None:
        """Return a customer's new list and what is told last with it; None if the old one stands.

        Args:
            place: of the customer in the batch.
            told: of that customer, last.
        """
        ranked = self._choices.ranked(place)
        names = tuple([self._names[rule] for rule in ranked]) or _ALONE
        value = self._frame.values[place]
        as_of = self._as_of[place]
        outcome = _outcome(told, value, as_of)
        if names == told.actions and outcome is None:
            return None
        new = outcome is not None or names[:1] != told.actions[:1]
        capped = new and self._sells(ranked) and self._is_capped(told, as_of)
        if capped:
            ranked = [rule for rule in ranked if not self._playbook.rules[rule].selling]
            names = tuple([self._names[rule] for rule in ranked]) or _ALONE
            if names == told.actions and outcome is None:
                return None
            new = outcome is not None or names[:1] != told.actions[:1]
        choices = [self._choices.choice(place, rule) for rule in ranked]
        previous = _previous(told, outcome or "withdrawn") if new else None
        if new:
            stands = self._suggested(told, names, choices, value, as_of)
        else:
            stands = replace(told, actions=names)
        actions = self._actions(place, choices, stands, alone=_CAPPED if capped else _SUITS)
        return stands, self._recommended(value, actions, previous)

    def _sells(self, ranked: list[int]) -> bool:
        return bool(ranked) and self._playbook.rules[ranked[0]].selling

    def _is_capped(self, told: Told, as_of: int) -> bool:
        cap = self._playbook.cap
        recent = [at for at in told.suggestions if at > as_of - cap.days * DAY]
        return len(recent) >= cap.suggestions

    def _suggested(
        self,
        told: Told,
        names: tuple[str, ...],
        choices: list[Choice],
        value: LtvUpdate,
        as_of: int,
    ) -> Told:
        """Return ``told`` with a new list, and its first as a new suggestion."""
        suggestions = told.suggestions
        if choices and choices[0].rule.selling:
            suggestions = (*suggestions, as_of)[-self._playbook.cap.suggestions :]
        return replace(
            told,
            actions=names,
            suggested_at=as_of,
            deadline=_instant(choices[0].deadline) if choices else LAST,
            orders=value.orders,
            suggestions=suggestions,
        )

    def _actions(
        self, place: int, choices: list[Choice], stands: Told, *, alone: str
    ) -> tuple[Action, ...]:
        if not choices:
            return _ALONE_BECAUSE[alone]
        value, risk = self._frame.values[place], self._frame.risks[place]
        deadlines = [stands.deadline, *(_instant(choice.deadline) for choice in choices[1:])]
        return tuple(
            Action(
                rank,
                choice.rule.name,
                choice.rule.version,
                reason_of(choice.rule.reasons, (value, risk)),
                _money(choice.money, value.currency),
                _moment(deadline),
            )
            for rank, (choice, deadline) in enumerate(zip(choices, deadlines, strict=True), 1)
        )

    def _recommended(
        self, value: LtvUpdate, actions: tuple[Action, ...], previous: PreviousAction | None
    ) -> RecommendedActions:
        return RecommendedActions(
            *shared(value), value.currency, self._playbook.version, actions, previous
        )


def _outcome(told: Told, value: LtvUpdate, as_of: int) -> Outcome | None:
    """Return what became of the suggestion that stands; None while it is open."""
    if not told.actions or told.actions == _ALONE:
        return None
    last = value.last_purchase_at
    if value.orders > told.orders and last is not None:
        return "purchased" if from_datetime(last) <= told.deadline else "expired"
    return "expired" if as_of >= told.deadline else None


def _previous(told: Told, outcome: Outcome) -> PreviousAction | None:
    if not told.actions or told.actions == _ALONE:
        return None
    name, _, version = told.actions[0].partition("@")
    return PreviousAction(
        name, int(version), EPOCH + told.suggested_at * MICROSECOND, _moment(told.deadline), outcome
    )


def _instant(seconds: float) -> int:
    return min(round(seconds * 1_000_000), LAST)


def _moment(instant: int) -> datetime | None:
    return None if instant >= LAST else EPOCH + instant * MICROSECOND


def _money(money: float | None, currency: str) -> str | None:
    if money is None:
        return None
    digits = minor_digits(currency)
    unit = 10 ** (6 - digits)
    return format_amount(round(money * UNIT / unit) * unit, digits)
