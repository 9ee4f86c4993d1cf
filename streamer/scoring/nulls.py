"""Why a figure is null: said with the score, never hidden behind a 0."""

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from streamer.records.scores import MEASURES

NULL_REASONS = {
    "no_model": "needs a fitted model; this score is by formula",
    "no_value_model": "the fitted model has no values: no repeat purchase of any worth was known",
    "no_purchase": "no purchase yet",
    "one_occasion": "needs purchases on two days",
    "no_cost": "not every order came with its cost",
    "no_programme": "no referral programme is configured and this customer brought nobody",
    "not_referred": "nobody referred this customer",
    "nothing_told": "the referrer has not lapsed since, or is not known to tell",
    "beyond_calendar": "beyond the year 9999",
    "nothing_before": "no earlier score to compare with: there was no purchase before",
    "new_model": "figures of two models are not compared",
    "lapsed": "no further band",
    "first_purchase": "there was no band before",
    "no_acquisition_cost": "no acquisition cost came, and none is configured for the channel",
    "free_acquisition": "winning this customer cost nothing: there is nothing to divide by",
    "no_channel": "neither the first purchase nor an acquisition cost names its channel",
    "no_interaction": "no payment, due date, checkout time or items came with the orders",
    "no_rating": "no rating yet",
    "no_loyalty_programme": "no loyalty tiers are configured",
    "below_tiers": "fewer points than the lowest tier begins with",
    "top_tier": "there is no higher tier",
    "tier_unchanged": "the tier is the one told last",
    "no_payment": "no payment of an order in full is known",
    "no_due_date": "no order said when its payment is due",
    "no_checkout": "no order said how long its checkout took",
    "no_category": "no item told its category",
    "no_year_before": "no customer a year ago",
    "no_catalogue": "the catalogue's categories are not configured",
    "all_categories": "every category of the catalogue was bought",
    "no_low_order_value": "no low order value is configured",
    "too_few_gaps": "needs purchases on five days",
    "no_revenue": "nothing was earned: there is nothing to divide by",
    "no_items": "no order came with its items",
    "no_location": "no purchase named its location",
    "no_profile": "too few customers to tell what the most valuable tenth have in common",
    "no_trait": "none of this customer's traits is known to the profile",
}
"""The codes on the wire and what they mean."""


def null_reason(null_reasons: Mapping[str, str], field: str) -> str:
    """Return the code of an update's null ``field``, which may be that of its whole measure.

    >>> null_reason({"ratings": "no_rating"}, "rating_last")
    'no_rating'
    """
    return null_reasons.get(field) or null_reasons.get(_MEASURE_OF.get(field, ""), "")


_MEASURE_OF = {field: measure for measure, fields in MEASURES.items() for field in fields}

_PREDICTED = (
    "predicted_clv",
    "predicted_clv_low",
    "predicted_clv_high",
    "predicted_clv_basis",
    "total_clv",
)


@lru_cache(maxsize=4096)
def ltv_nulls(
    bought: bool,
    repeated: bool,
    costed: bool,
    programme: bool,
    referred: bool,
    no_value: str | None,
    unexplained: str | None,
    *measures: str,
) -> msgspec.Raw:
    """Return the reasons of an LTV update's null figures as a JSON object.

    ``no_value`` is that of the predicted value, ``unexplained`` that of its explanation, None where
    there is one; ``measures`` are those of other measures, as members of the object (see
    ``measure.members``).
    """
    reasons = {} if no_value is None else dict.fromkeys(_PREDICTED, no_value)
    if unexplained is not None:
        reasons["explanation"] = unexplained
    if not bought:
        names = "average_order_value", "tenure_days", "first_purchase_at", "last_purchase_at"
        reasons |= dict.fromkeys((*names, "expected_orders"), "no_purchase")
    if not repeated:
        reasons |= dict.fromkeys(("purchase_frequency", "formula_ltv"), "one_occasion")
    if not costed:
        reasons |= dict.fromkeys(("margin", "average_margin"), "no_cost")
    if not (repeated and costed):
        reasons["formula_margin_ltv"] = "no_cost" if repeated else "one_occasion"
    if not programme:
        reasons |= dict.fromkeys(("referral_value", "referred_customers"), "no_programme")
    if not referred:
        reasons["referred_by"] = "not_referred"
    own = msgspec.json.encode(reasons).decode()[1:-1]
    return msgspec.Raw(f"{{{','.join(filter(None, (own, *measures)))}}}".encode())


@lru_cache(maxsize=256)
def churn_nulls(
    bought: bool,
    lapsed: bool,
    expected: bool,
    win_back: bool,
    crossing: bool,
    previous: bool,
    modelled: bool,
    unexplained: str | None,
    referrer: str | None,
) -> msgspec.Raw:
    """Return the reasons of a churn risk update's null figures as a JSON object.

    ``unexplained`` and ``referrer`` are that of the explanation and of what the referrer told.
    """
    reasons = {} if modelled else {"probability_alive": "no_model"}
    if referrer is not None:
        reasons["referrer"] = referrer
    if unexplained is not None:
        reasons["explanation"] = unexplained
    figures = ("churn_probability", "risk_band", "silence_quantile")
    instants = ("expected_date_of_next_order", "win_back_by", "next_band_crossing_at")
    if not bought:
        names = (*figures, *instants, "previous_risk_band")
        reasons |= dict.fromkeys(
            (*names, "probability_alive") if modelled else names, "no_purchase"
        )
        return msgspec.Raw(msgspec.json.encode(reasons))
    if not previous:
        reasons["previous_risk_band"] = "first_purchase"
    if not expected:
        reasons["expected_date_of_next_order"] = "beyond_calendar"
    if not win_back:
        reasons["win_back_by"] = "beyond_calendar"
    if not crossing:
        reasons["next_band_crossing_at"] = "lapsed" if lapsed else "beyond_calendar"
    return msgspec.Raw(msgspec.json.encode(reasons))
