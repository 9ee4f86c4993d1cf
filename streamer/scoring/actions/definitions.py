"""Rules of actions as a file writes them: TOML, already parsed."""

from collections.abc import Callable, Mapping
from string import Formatter
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from streamer.records.instants import DAY, MICROSECOND
from streamer.scoring.actions.playbook import (
    LEAVE_ALONE,
    Cap,
    Playbook,
    PlaybookError,
    Reason,
    Rule,
)
from streamer.scoring.expressions import TOLD, Frame, Kind, compile_flag, compile_number
from streamer.scoring.expressions.compilation import compile_instant
from streamer.scoring.segments import Segmentation
from streamer.scoring.segments.segmentation import NAME

_DAY_SECONDS = DAY * MICROSECOND.total_seconds()


_Several = Annotated[list[str], Meta(min_length=1)]


class _Rule(Struct, forbid_unknown_fields=True):
    name: str
    version: int
    when: str
    money: str | _Several
    reason: str | _Several
    deadline: str | float
    urgency: int = 2
    selling: bool = True


class _File(Struct, forbid_unknown_fields=True):
    version: int
    cap: Cap
    action: list[_Rule]
    thresholds: dict[str, float] = {}
    stop_selling_when: str | None = None


def playbook_of(file: Mapping[str, Any], segments: Segmentation, where: str) -> Playbook:
    """Return the rules of a shop.

    Args:
        file: as parsed.
        segments: whose names are flags in conditions, and their thresholds numbers.
        where: the file, for errors.

    Raises:
        PlaybookError: the file does not hold what it should.
        ExpressionError: an expression is none.
    """
    try:
        told = msgspec.convert(file, _File)
    except msgspec.ValidationError as error:
        raise PlaybookError(f"{where}: {error}.") from None
    others: dict[str, Kind] = {**segments.kinds, **dict.fromkeys(told.thresholds, "number")}
    names = [rule.name for rule in told.action]
    for name in names:
        if not NAME.fullmatch(name) or name == LEAVE_ALONE or names.count(name) > 1:
            raise PlaybookError(f"{where}: an action cannot be called `{name}`, or not twice.")
    stop = told.stop_selling_when
    return Playbook(
        version=told.version,
        rules=tuple(_rule(rule, others, where) for rule in told.action),
        cap=told.cap,
        stop_selling=None
        if stop is None
        else compile_flag(stop, f"{where}: stop_selling_when", others),
        thresholds=dict(told.thresholds),
    )


def _rule(rule: _Rule, others: Mapping[str, Kind], where: str) -> Rule:
    place = f"{where}: action {rule.name}"
    reasons, money = _several(rule.reason), _several(rule.money)
    return Rule(
        name=rule.name,
        version=rule.version,
        when=compile_flag(rule.when, f"{place}: when", others),
        money=tuple(compile_number(text, f"{place}: money", others) for text in money),
        deadline=_deadline(rule.deadline, f"{place}: deadline", others),
        reasons=tuple(_reason(reason, place) for reason in reasons),
        urgency=rule.urgency,
        selling=rule.selling,
    )


def _reason(reason: str, place: str) -> Reason:
    try:
        parts = list(Formatter().parse(reason))
    except ValueError as error:
        raise PlaybookError(f"{place}: reason: `{reason}`: {error}.") from None
    for _, field, form, conversion in parts:
        if field is not None and (field not in TOLD or form or conversion):
            raise PlaybookError(f"{place}: reason: there is no field `{field}`.")
    return tuple((literal, field or "") for literal, field, _, _ in parts)


def _several(told: str | list[str]) -> tuple[str, ...]:
    return (told,) if isinstance(told, str) else tuple(told)


def _deadline(
    deadline: str | float, where: str, others: Mapping[str, Kind]
) -> Callable[[Frame], NDArray[np.float64]]:
    if isinstance(deadline, str):
        return compile_instant(deadline, where, others)
    seconds = deadline * _DAY_SECONDS
    return lambda frame: frame.column("as_of") + seconds
