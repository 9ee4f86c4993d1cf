"""Who brought whom, all the way down, by brute force over the set of events."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from streamer.records.events import LEVELS
from streamer.state.referrals import RIVALS_MAX
from tests.support import oracle

Level = tuple[int, Decimal]
"""Customers, and their net revenue."""


def chains(sums: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Level]]:
    """Return the levels of each customer of ``oracle.count``, from those brought directly down.

    Nobody counts twice: who is reached on several levels counts on the uppermost.
    """
    return {one: _levels(one, sums) for one in sums}


def _levels(one: str, sums: Mapping[str, Mapping[str, Any]]) -> list[Level]:
    seen, level, levels = {one}, {one}, []
    for _ in range(LEVELS):
        level = {who for who in sums if sums[who]["referrer"] in level} - seen
        seen |= level
        counted = sum(sums[who]["joined"] or sums[who]["orders"] > 0 for who in level)
        levels.append((counted, sum((sums[who]["net"] for who in level), Decimal(0))))
    return levels


def cycles(sums: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Return of how many the cycle is in which a customer was brought; 0 where in none."""
    lengths = {}
    for one in sums:
        path = [one]
        while (above := sums[path[-1]]["referrer"]) is not None and above not in path:
            path.append(above)
        lengths[one] = len(path) if above == one else 0
    return lengths


def lost(events: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """Return how many customers each named whom another had brought earlier."""
    named: dict[str, dict[str, Any]] = {}
    for event in events:
        if event["type"] == "referral":
            by, at = named.setdefault(event["referred_customer_id"], {}), oracle.moment(event)
            by[event["customer_id"]] = min(at, by.get(event["customer_id"], at))
    counts: Counter[str] = Counter()
    for by in named.values():
        order = sorted(by, key=lambda who, by=by: (by[who], who))  # type: ignore[misc] # its default
        counts.update(order[1 : RIVALS_MAX + 1])
    return counts
