"""Holds rows and scores against the oracle's sums, in words that say what is wrong."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from streamer.state.row import Row
from tests.support.oracle import Sums

MICROS = 1_000_000
DAY_MICROS = 86_400 * MICROS
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHOWN_MAX = 20
Score = dict[str, Any]

SAME_IN_ROW = [
    "events_seen",
    "orders",
    "refunds",
    "costed_orders",
    "occasions",
    "joined",
    "referred_customers",
    "referred_orders",
]
MONEY_IN_ROW = ("revenue", "refunded", "cost", "referred_revenue")
SAME_IN_SCORE = ("events_seen", "orders", "refunds", "referred_customers")
MONEY_IN_SCORE = ("historic_clv", "revenue", "refunded", "margin", "referral_value")
INSTANTS = ("first_purchase_at", "last_purchase_at")


def micros(moment: datetime | str) -> int:
    """Return an instant, RFC 3339 if a text, in microseconds since 1970."""
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * MICROS + since.microseconds


def decoded(value: bytes | None) -> Score:
    """Return a score's value as JSON."""
    assert value is not None
    score: Score = json.loads(value)
    return score


def row_faults(sums: Mapping[str, Sums], rows: Mapping[str, Row]) -> list[str]:
    """Return what is wrong with the final rows; empty if nothing is."""
    faults = [f"no row of {name}" for name in sorted(sums.keys() - rows.keys())]
    faults += [f"a row of {name}, who never was" for name in sorted(rows.keys() - sums.keys())]
    for name in sorted(sums.keys() & rows.keys()):
        faults += _differences(f"row of {name}", _row_expected(sums[name]), _row_found(rows[name]))
    return faults


def _row_expected(sums: Sums) -> dict[str, Any]:
    instants = {name: -1 if sums[name] is None else micros(sums[name]) for name in INSTANTS}
    money = {name: int(sums[name] * MICROS) for name in MONEY_IN_ROW}
    same = {name: sums[name] for name in SAME_IN_ROW}
    return same | money | instants | {"referrer": sums["referrer"] or ""}


def _row_found(row: Row) -> dict[str, Any]:
    names = (*SAME_IN_ROW, *MONEY_IN_ROW, *INSTANTS, "referrer")
    return {name: getattr(row, name) for name in names}


def score_faults(
    sums: Mapping[str, Sums],
    rows: Mapping[str, Row],
    ltv: Mapping[str, Score],
    churn: Mapping[str, Score],
) -> list[str]:
    """Return what is wrong with everyone's last scores; empty if nothing is."""
    scored = {name for name, one in sums.items() if one["events_seen"]}
    faults = [f"no LTV of {name}" for name in sorted(scored - ltv.keys())]
    faults += [f"no churn risk of {name}" for name in sorted(scored - churn.keys())]
    for name in sorted(scored & rows.keys() & ltv.keys() & churn.keys()):
        expected = _score_expected(sums[name], in_programme=rows[name].referrals_sent > 0)
        faults += _differences(f"LTV of {name}", expected, _score_found(ltv[name]))
        pair = {field: ltv[name][field] for field in ("events_seen", "score_id", "revision")}
        faults += _differences(f"churn risk of {name}", pair, churn[name])
    return faults


def _score_expected(sums: Sums, *, in_programme: bool) -> dict[str, Any]:
    costs_known = 0 < sums["orders"] == sums["costed_orders"]
    return {
        "events_seen": sums["events_seen"],
        "orders": sums["orders"],
        "refunds": sums["refunds"],
        "historic_clv": sums["net"],
        "revenue": sums["revenue"],
        "refunded": sums["refunded"],
        "margin": sums["net"] - sums["cost"] if costs_known else None,
        "referral_value": sums["referred_revenue"] if in_programme else None,
        "referred_customers": sums["referred_customers"] if in_programme else None,
        **{name: sums[name] for name in INSTANTS},
    }


def _score_found(score: Score) -> dict[str, Any]:
    found = {
        name: score[name] for name in ["events_seen", "orders", "refunds", "referred_customers"]
    }
    for name in ["historic_clv", "revenue", "refunded", "margin", "referral_value"]:
        found[name] = None if score[name] is None else Decimal(score[name])
    for name in INSTANTS:
        found[name] = None if score[name] is None else datetime.fromisoformat(score[name])
    return found


def _differences(what: str, expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    return [
        f"{what}: {name} is {found[name]!r}, expected {value!r}"
        for name, value in expected.items()
        if found[name] != value
    ]


def shortened(faults: list[str]) -> str:
    """Return the first faults and how many there are of which kind, for people."""
    kinds = Counter(" ".join(fault.split()[:2]) for fault in faults)
    return "\n".join([f"{len(faults)} faults, {dict(kinds)}:", *faults[:SHOWN_MAX]])
