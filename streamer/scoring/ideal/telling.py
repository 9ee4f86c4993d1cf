"""The profile of the shop as it goes over the wire."""

from collections.abc import Mapping
from typing import Any

from streamer.records.measures import TraitFigures, TraitValueFigures, Verdict
from streamer.records.models import TRAITS, IdealProfile
from streamer.records.money import format_amount, minor_digits
from streamer.records.partials import TRAIT, Key
from streamer.scoring.ideal.spreads import Spread, floor_of
from streamer.scoring.ideal.top import Lift, lift_of, profile_of

LEVEL = 0.95
"""Of the intervals."""


def profile_fields(spreads: Mapping[Key, Spread], currency: str) -> dict[str, Any]:
    """Return the figures of ``programme-measures`` that ``spreads`` give.

    Args:
        spreads: of everyone, who are one or more, and of each value of each trait.
        currency: of the lifetime values.
    """
    cut, profile = profile_of(spreads)
    told = {"customers": profile.customers, "confidence_level": LEVEL}
    if cut.reason is not None:
        fields = ("top_customers", "top_value", "traits")
        nulls = {"null_reasons": dict.fromkeys(fields, cut.reason)}
        return told | dict.fromkeys(fields) | nulls
    digits = minor_digits(currency)
    unit = 10 ** (6 - digits)
    return told | {
        "top_customers": profile.top_customers,
        "top_value": format_amount(round(floor_of(cut.bucket) / unit) * unit, digits),
        "traits": [_figures(trait, profile, spreads) for trait in TRAITS],
        "null_reasons": {},
    }


def _figures(trait: str, profile: IdealProfile, spreads: Mapping[Key, Spread]) -> TraitFigures:
    unknown = spreads.get((TRAIT, trait, ""), Spread())
    known = profile.customers - sum(unknown.customers.values())
    values = profile.traits[trait]
    figures = [_value(value, *counts, profile) for value, counts in values.items()]
    # By what is sure of them: the greatest lift of all is often one customer's.
    figures.sort(key=lambda one: (-one.low, -one.lift, one.value))
    return TraitFigures(
        trait=trait,
        known_customers=known,
        other_customers=known - sum(customers for customers, _ in values.values()),
        values=figures,
    )


def _value(value: str, customers: int, top: int, profile: IdealProfile) -> TraitValueFigures:
    lift = lift_of(top, customers, profile)
    return TraitValueFigures(
        value=value,
        customers=customers,
        share=customers / profile.customers,
        top_customers=top,
        top_share=top / profile.top_customers,
        lift=lift.lift,
        low=lift.low,
        high=lift.high,
        verdict=_verdict(lift),
    )


def _verdict(lift: Lift) -> Verdict:
    if lift.low > 1:
        return "more_often"
    return "less_often" if lift.high < 1 else "not_significant"
