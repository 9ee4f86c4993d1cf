"""A shop whose parameters are known: seeded wire events to test and measure with.

`simulate` gives a shop's events in the order of their times, `disturb` does to them what
networks and careless producers do, `uniform_purchases` is the fast source for benchmarks, and
`referral_overlay` adds plainly labelled referrals to real customers. The same seed gives the same
events on any machine with the same numpy, whatever else runs.
"""

from streamer.simulate.disturbances import Disturbances, WireValue, disturb
from streamer.simulate.engagement import (
    AcquisitionCosts,
    Erasures,
    Experiments,
    Profiles,
    Ratings,
    Shares,
)
from streamer.simulate.followups import FollowUp, Payments, Refunds
from streamer.simulate.load import uniform_purchases
from streamer.simulate.parameters import Basket, PurchaseProcess, SimulationError, Spend
from streamer.simulate.referrals import referral_overlay
from streamer.simulate.shop import DEFAULT_START, Shop, simulate

__all__ = [
    "DEFAULT_START",
    "AcquisitionCosts",
    "Basket",
    "Disturbances",
    "Erasures",
    "Experiments",
    "FollowUp",
    "Payments",
    "Profiles",
    "PurchaseProcess",
    "Ratings",
    "Refunds",
    "Shares",
    "Shop",
    "SimulationError",
    "Spend",
    "WireValue",
    "disturb",
    "referral_overlay",
    "simulate",
    "uniform_purchases",
]
