"""What was spent on winning customers (V8), by channel: as told, whoever it won or failed to.

Spend counts for the channel that its event names. Where an event names none (or more channels than
a row keeps), it counts for the channel that won the customer, if that is known. So the spend on
somebody who never bought counts, too: it is part of what those who did have cost.
"""

from collections.abc import Iterable

from streamer.scoring.acquisition import channel_of
from streamer.scoring.programme.groups import CHANNEL
from streamer.scoring.programme.members import ALL
from streamer.scoring.programme.tallies import Spend
from streamer.state.row import Row

Spending = dict[str, Spend]
"""By group."""


def spending_of(row: Row) -> Spending:
    """Return what was spent on the customer of ``row``, all in all and by channel."""
    kept = row.engagement
    if kept is None or not kept.acquisition_costs:
        return {}
    everything = Spend(kept.acquisition_costs, kept.acquisition_cost)
    spending = {ALL: everything}
    rest = everything
    for channel, (costs, amount) in kept.channel_costs.items():
        spending[CHANNEL + channel] = Spend(costs, amount)
        rest += Spend(-costs, -amount)
    winner = channel_of(row)
    if rest and winner is not None:
        spending[CHANNEL + winner] = spending.get(CHANNEL + winner, Spend()) + rest
    return spending


def spent(changes: Iterable[tuple[Spending, Spending]]) -> Spending:
    """Return what to add to the sums after ``changes``.

    Args:
        changes: each customer's spending as it was counted last and as it is now.
    """
    delta: Spending = {}
    for before, after in changes:
        if before == after:
            continue
        for group, spend in after.items():
            delta[group] = delta.get(group, Spend()) + spend
        for group, spend in before.items():
            delta[group] = delta.get(group, Spend()) + Spend(-spend.costs, -spend.amount)
    return {group: spend for group, spend in delta.items() if spend}
