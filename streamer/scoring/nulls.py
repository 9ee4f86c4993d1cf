"""Why a figure is null: said with the score, never hidden behind a 0."""

from functools import lru_cache

import msgspec

NULL_REASONS = {
    "no_model": "needs a fitted model; this score is by formula",
    "no_purchase": "no purchase yet",
    "one_occasion": "needs purchases on two days",
    "no_cost": "not every order came with its cost",
    "no_programme": "no referral programme is configured and this customer brought nobody",
    "not_referred": "nobody referred this customer",
    "not_measured": "not measured by this version",
    "beyond_calendar": "beyond the year 9999",
    "lapsed": "no further band",
    "first_purchase": "there was no band before",
}
"""The codes on the wire and what they mean."""


@lru_cache(maxsize=64)
def ltv_nulls(
    bought: bool, repeated: bool, costed: bool, programme: bool, referred: bool
) -> msgspec.Raw:
    """Return the reasons of an LTV update's null figures as a JSON object."""
    model = ("predicted_clv", "predicted_clv_low", "predicted_clv_high", "total_clv")
    reasons = dict.fromkeys(model, "no_model")
    reasons |= dict.fromkeys(("ltv_to_cac", "category_depth", "loyalty_tier"), "not_measured")
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
    return msgspec.Raw(msgspec.json.encode(reasons))


@lru_cache(maxsize=64)
def churn_nulls(
    bought: bool, lapsed: bool, expected: bool, win_back: bool, crossing: bool, previous: bool
) -> msgspec.Raw:
    """Return the reasons of a churn risk update's null figures as a JSON object."""
    reasons = {"probability_alive": "no_model"}
    figures = ("churn_probability", "risk_band", "silence_quantile")
    instants = ("expected_date_of_next_order", "win_back_by", "next_band_crossing_at")
    if not bought:
        reasons |= dict.fromkeys((*figures, *instants, "previous_risk_band"), "no_purchase")
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
