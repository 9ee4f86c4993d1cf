"""Why a figure is null: said with the score, never hidden behind a 0."""

from functools import lru_cache

import msgspec

_NO_MODEL = "needs a fitted model; this score is by formula"
_NO_PURCHASE = "no purchase yet"
_ONE_OCCASION = "needs purchases on two days"
_NO_COST = "not every order came with its cost"
_NO_PROGRAMME = "no referral programme is configured and this customer brought nobody"
_NOT_REFERRED = "nobody referred this customer"
_NOT_MEASURED = "not measured by this version"
_BEYOND = "beyond the year 9999"
_LAPSED = "lapsed: no further band"
_FIRST = "first purchase"


@lru_cache(maxsize=64)
def ltv_nulls(
    *, bought: bool, repeated: bool, costed: bool, programme: bool, referred: bool
) -> msgspec.Raw:
    """Return the reasons of an LTV update's null figures as a JSON object."""
    model = ("predicted_clv", "predicted_clv_low", "predicted_clv_high", "total_clv")
    reasons = dict.fromkeys(model, _NO_MODEL)
    reasons |= dict.fromkeys(("ltv_to_cac", "category_depth", "loyalty_tier"), _NOT_MEASURED)
    if not bought:
        names = "average_order_value", "tenure_days", "first_purchase_at", "last_purchase_at"
        reasons |= dict.fromkeys((*names, "expected_orders"), _NO_PURCHASE)
    if not repeated:
        reasons |= dict.fromkeys(("purchase_frequency", "formula_ltv"), _ONE_OCCASION)
    if not costed:
        reasons |= dict.fromkeys(("margin", "average_margin"), _NO_COST)
    if not (repeated and costed):
        reasons["formula_margin_ltv"] = _NO_COST if repeated else _ONE_OCCASION
    if not programme:
        reasons |= dict.fromkeys(("referral_value", "referred_customers"), _NO_PROGRAMME)
    if not referred:
        reasons["referred_by"] = _NOT_REFERRED
    return msgspec.Raw(msgspec.json.encode(reasons))


@lru_cache(maxsize=64)
def churn_nulls(
    *, bought: bool, lapsed: bool, expected: bool, win_back: bool, crossing: bool, previous: bool
) -> msgspec.Raw:
    """Return the reasons of a churn risk update's null figures as a JSON object."""
    reasons = {"probability_alive": _NO_MODEL}
    figures = ("churn_probability", "risk_band", "silence_quantile")
    instants = ("expected_date_of_next_order", "win_back_by", "next_band_crossing_at")
    if not bought:
        reasons |= dict.fromkeys((*figures, *instants, "previous_risk_band"), _NO_PURCHASE)
        return msgspec.Raw(msgspec.json.encode(reasons))
    if not previous:
        reasons["previous_risk_band"] = _FIRST
    for name, known in zip(instants, (expected, win_back, crossing), strict=True):
        if not known:
            reasons[name] = _LAPSED if name == "next_band_crossing_at" and lapsed else _BEYOND
    return msgspec.Raw(msgspec.json.encode(reasons))
