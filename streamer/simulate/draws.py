"""Random numbers: one independent stream for each concern, all from one seed.

A stream is told by its name, so refunds can be switched on, or a new kind of event added, without
a single purchase changing.
"""

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray

from streamer.simulate.parameters import PurchaseProcess, Spend, require

DAY_MS = 86_400_000

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def stream(seed: int, name: str) -> Generator:
    """Give the generator for one concern.

    Args:
        seed: 0 or more; the whole simulation's.
        name: The concern's; streams of different names are independent.
    """
    require(seed >= 0, "seed", seed, "0 or more")
    return Generator(PCG64(SeedSequence(seed, spawn_key=tuple(name.encode()))))


def purchase_times(
    process: PurchaseProcess, first_days: Floats, end_day: float, generator: Generator
) -> tuple[Floats, Integers]:
    """Draw every customer's purchases, the first one included.

    All customers still alive take their next step at once, so the number of rounds is that of
    the keenest buyer's purchases.

    Args:
        process: Rates and dropouts.
        first_days: Day of each customer's first purchase, shape (customers,).
        end_day: Purchases after it are not made.
        generator: The stream of the purchases.

    Returns:
        Day and customer's index of each purchase, shape (purchases,) both, in time order.
    """
    count = len(first_days)
    rates = generator.gamma(process.r, 1 / process.alpha, count)
    dropouts = generator.beta(process.a, process.b, count)
    alive = np.arange(count)
    if process.model == "mbg_nbd":
        alive = alive[generator.random(count) >= dropouts]
    days, buyers = [first_days], [np.arange(count)]
    now = first_days[alive]
    while len(alive):
        with np.errstate(divide="ignore", over="ignore"):  # a rate may be as good as 0
            now = now + generator.standard_exponential(len(alive)) / rates[alive]
        alive, now = alive[now <= end_day], now[now <= end_day]
        days.append(now)
        buyers.append(alive)
        stays = generator.random(len(alive)) >= dropouts[alive]
        alive, now = alive[stays], now[stays]
    day, buyer = np.concatenate(days), np.concatenate(buyers)
    order = np.argsort(day, kind="stable")
    return day[order], buyer[order]


def amounts(spend: Spend, buyers: Integers, customers: int, generator: Generator) -> Integers:
    """Draw the amount of each purchase.

    Args:
        spend: The distribution.
        buyers: Customer's index of each purchase, shape (purchases,).
        customers: How many there are.
        generator: The stream of the amounts.

    Returns:
        Hundredths of the currency's unit, at least 1, shape (purchases,).
    """
    nu = generator.gamma(spend.q, 1 / spend.gamma, customers)
    drawn = generator.gamma(spend.p, 1 / nu[buyers])
    return np.maximum(np.rint(drawn * 100), 1).astype(np.int64)
