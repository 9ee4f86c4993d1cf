"""What moved a score (V19): contributions that add up to its change, in numbers and in words.

The change is that since the score just before the cause (``comparison``). Between the two, time
passes first, then the event happens:

- **silence** is what the passing of time does to the earlier history;
- **purchases** is what the event does to how often, and when last, the customer bought;
- **value** is what it does to the worth of a purchase (amounts, refunds, costs).

The predicted value is purchases × worth, E·V. What the event changes of it is
shared by Shapley's value (1953, Contributions to the Theory of Games 2:307) of the two:
ΔE·(V + V′)/2 and ΔV·(E + E′)/2, whose sum is exact. Each is then rounded so that the rounded ones
add up exactly as well: the sums up to each are rounded, and their differences told.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from itertools import compress, permutations, repeat
from typing import Any

import numpy as np
from msgspec import Struct

from streamer.records.money import DECIMALS, format_amounts, minor_digits
from streamer.records.scores import Input, RiskContribution, ValueContribution
from streamer.scoring.columns import Integers
from streamer.scoring.comparison import Comparison
from streamer.scoring.forecast import Expectation
from streamer.scoring.occasion import datetimes
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.rhythm import Floats
from streamer.scoring.rounding import in_units

INPUTS: tuple[Input, ...] = ("silence", "purchases", "value")
"""In the order in which they happen."""

MILLION = 1_000_000


class Explained(Struct, frozen=True):
    """What moved n figures, column by column; null where there is nothing to compare with."""

    nulls: list[str | None]
    """Why there is not."""
    since: Sequence[datetime | None]
    """As of when the earlier score is."""
    previous: Sequence[Any]
    """Its figure."""
    contributions: Sequence[Any]
    sentences: Sequence[str | None]

    @property
    def wire_columns(self) -> tuple[Sequence[Any], ...]:
        """The columns ``explained_since``, the earlier figure, and ``contributions``."""
        return self.since, self.previous, self.contributions


class Explanations(Struct, frozen=True):
    """Of n scores."""

    values: Explained
    risks: Explained


def reasons(*texts: Sequence[str | None]) -> list[tuple[str, ...]]:
    """Return what is to be said of each score: what moved it, and what there is besides."""
    told = [column for column in texts if any(column)]
    if not any(None in column for column in told):
        return list(zip(*told, strict=True))
    return [tuple(filter(None, sentences)) for sentences in zip(*told, strict=True)]


class _States(Struct, frozen=True):
    """The three moments of each comparison."""

    before: Expectation
    just_before: Expectation
    after: Expectation


def explanations(
    comparison: Comparison,
    before: Expectation,
    just_before: Expectation,
    after: Expectation,
    parameters: ScoringParameters,
) -> Explanations:
    """Return what moved each score.

    Args:
        comparison: what the scores are compared with.
        before: what was expected at its first moment.
        just_before: at its second.
        after: by the scores, all of them.
        parameters: of the scores.
    """
    nulls, places = comparison.nulls, comparison.places
    no_value = None if after.value is not None else _no_model(parameters)
    value_nulls = [no_value or null for null in nulls]
    if not places:
        return Explanations(_unexplained(value_nulls), _unexplained(nulls))
    since = datetimes(comparison.since)
    states = _States(before, just_before, after.of(places))
    risks = _explained(nulls, places, (since, *_risks(states)))
    if no_value:
        return Explanations(_unexplained(value_nulls), risks)
    known, *columns = _values(states, parameters)
    unknown = [place for place, is_known in zip(places, known, strict=True) if not is_known]
    for place in unknown:
        value_nulls[place] = "no_value_model"
    told: list[list[Any]] = [places, since, *columns]
    if unknown:
        told = [list(compress(column, known)) for column in told]
    return Explanations(_explained(value_nulls, told[0], told[1:]), risks)


def _unexplained(nulls: list[str | None]) -> Explained:
    nothing: list[None] = [None] * len(nulls)
    return Explained(nulls, nothing, nothing, nothing, nothing)


def _explained(
    nulls: list[str | None], places: Sequence[int], columns: Iterable[list[Any]]
) -> Explained:
    """Return ``columns``, which are of the scores at ``places`` alone, as those of all."""
    if len(places) == len(nulls):
        return Explained(nulls, *columns)
    return Explained(nulls, *(_spread(column, places, len(nulls)) for column in columns))


def _spread(column: list[Any], places: Sequence[int], n: int) -> list[Any]:
    spread = [None] * n
    for place, one in zip(places, column, strict=True):
        spread[place] = one
    return spread


def _no_model(parameters: ScoringParameters) -> str:
    modelled = parameters.model is not None and parameters.model.purchases is not None
    return "no_value_model" if modelled else "no_model"


# -- churn risk -----------------------------------------------------------------------------


def _risks(states: _States) -> tuple[list[Any], ...]:
    """Return the earlier probabilities, what has changed them, in numbers and in words."""
    moments = states.before, states.just_before, states.after
    levels = np.array([_millionths(state.churn_probability) for state in moments])
    steps = levels[1:] - levels[:-1]
    shares = (steps / MILLION).tolist()
    tenths = np.rint(np.concatenate([levels[::2], steps]) / 1_000).astype(np.int64).tolist()
    told = map(_risk, *shares, *tenths)
    return (levels[0] / MILLION).tolist(), *map(list, zip(*told, strict=True))


def _millionths(probability: Floats) -> Integers:
    known = np.where(np.isfinite(probability), probability, 0.0)
    levels: Integers = np.rint(known * MILLION).astype(np.int64)
    return levels


def _risk(
    silence: float, purchases: float, was: int, now: int, by_silence: int, by_purchases: int
) -> tuple[tuple[RiskContribution, ...], str]:
    """Return contributions and sentence; the last four are in tenths of a percent."""
    signed = _signed()
    begin = f"churn probability {was // 10}.{was % 10} % → {now // 10}.{now % 10} %: "
    if not silence and not purchases:
        return (), f"{begin}as it was"
    waited, bought = RiskContribution("silence", silence), RiskContribution("purchases", purchases)
    if not purchases:
        return (waited,), f"{begin}{signed[by_silence]} by silence"
    if not silence:
        return (bought,), f"{begin}{signed[by_purchases]} by purchases"
    if abs(purchases) >= abs(silence):
        text = f"{signed[by_purchases]} by purchases, {signed[by_silence]} by silence"
        return (bought, waited), begin + text
    text = f"{signed[by_silence]} by silence, {signed[by_purchases]} by purchases"
    return (waited, bought), begin + text


@cache
def _signed() -> dict[int, str]:
    """Return signed percents by their tenths: looking one up costs a fifth of formatting it."""
    return {tenths: f"{tenths / 10:+.1f}" for tenths in range(-1000, 1001)}


# -- predicted value ------------------------------------------------------------------------


def _values(states: _States, parameters: ScoringParameters) -> tuple[list[Any], ...]:
    """Return where they are known, the earlier values, what has changed them, and in words."""
    then, now = states.before.value, states.after.value
    middle = states.just_before.value
    assert then and middle and now  # noqa: S101, PT018 - all by one model
    was, waited, worth = then.purchases * then.worth, middle.purchases * middle.worth, now.worth
    bought = waited + (now.purchases - middle.purchases) * (middle.worth + worth) / 2
    digits = minor_digits(parameters.currency)
    unit = 10 ** (DECIMALS - digits)
    # The last sum is the predicted value itself, not what rounding errors make of it.
    reached = was, waited, bought, now.purchases * worth
    levels = np.array([in_units(level, unit) for level in reached]).astype(np.int64)
    steps = levels[1:] - levels[:-1]
    changes, words = zip(*map(_changes, INPUTS, steps * unit, repeat(digits)), strict=True)
    previous = format_amounts(levels[0] * unit, digits)
    columns = zip(
        previous,
        format_amounts(levels[-1] * unit, digits),
        _greatest_first(steps),
        zip(*changes, strict=True),
        zip(*words, strict=True),
        strict=True,
    )
    contributions, sentences = [], []
    for was_, is_, places, parts, told in columns:
        moved = ", ".join([told[place] for place in places]) or "as it was"
        sentences.append(f"predicted value {was_} → {is_} {parameters.currency}: {moved}")
        contributions.append(tuple([parts[place] for place in places]))
    return (now.known & then.known).tolist(), previous, contributions, sentences


def _changes(
    name: Input, amounts: Integers, digits: int
) -> tuple[list[ValueContribution], list[str]]:
    """Return what an input has changed of each value, in numbers and in words.

    ``format_amounts`` is slow where negative: here that is the rule.
    """
    texts = format_amounts(np.abs(amounts), digits)
    negative = (amounts < 0).tolist()
    signed = [f"-{text}" if sign else text for text, sign in zip(texts, negative, strict=True)]
    words = [
        f"{text} by {name}" if sign else f"+{text} by {name}"
        for text, sign in zip(signed, negative, strict=True)
    ]
    return list(map(ValueContribution, repeat(name), signed)), words


_BY_NAME = sorted(range(len(INPUTS)), key=INPUTS.__getitem__, reverse=True)
"""Of equal changes the last by name comes first."""


def _greatest_first(steps: Integers) -> list[tuple[int, ...]]:
    """Return the places of the ``INPUTS`` that have changed each value, shape (3, n), in order."""
    sizes = np.abs(steps[_BY_NAME])
    order = np.argsort(-sizes, axis=0, kind="stable")
    codes = (order * _CODES[:, None]).sum(axis=0) + np.count_nonzero(sizes, axis=0)
    return list(map(_PLACES.__getitem__, codes.tolist()))


_CODES = 4 ** np.arange(len(INPUTS), 0, -1)
_PLACES = {
    int((np.array(order) * _CODES).sum()) + count: tuple(_BY_NAME[one] for one in order[:count])
    for order in permutations(range(len(INPUTS)))
    for count in range(len(INPUTS) + 1)
}
"""By the code of an order and of how many of it are not 0."""
