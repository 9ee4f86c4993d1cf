"""What a simulated shop's customers are like: frozen parameters with known moments."""

from dataclasses import dataclass
from typing import Literal

from streamer.errors import StreamerError


class SimulationError(StreamerError):
    """A simulation was asked for with parameters that no shop can have."""


def require(holds: bool, name: str, value: object, expected: str) -> None:  # noqa: FBT001 - the check
    """Raise `SimulationError` unless the check holds.

    Args:
        holds: The outcome of the check.
        name: Of the parameter, as the user knows it.
        value: What was given.
        expected: What the value has to be, in words.
    """
    if not holds:
        raise SimulationError(f"{name} is {value}: it has to be {expected}.")


def require_positive(**values: float) -> None:
    """Raise `SimulationError` unless each value is above zero and finite."""
    for name, value in values.items():
        require(0 < value < float("inf"), name, value, "above 0")


def require_share(**values: float) -> None:
    """Raise `SimulationError` unless each value is a probability."""
    for name, value in values.items():
        require(0 <= value <= 1, name, value, "from 0 to 1")


@dataclass(frozen=True, slots=True)
class PurchaseProcess:
    """How often customers buy and when they leave: BG/NBD or MBG/NBD, time in days.

    While alive a customer buys as a Poisson process at its own rate λ ~ Gamma(r, α), and leaves
    with its own probability p ~ Beta(a, b) right after a purchase: after each repeat purchase
    (BG/NBD), or after the first one too (MBG/NBD). The defaults are CDNOW's as MBG/NBD
    (4-models: r .525, α 6.183 weeks, a .891, b 1.614).

    Args:
        model: `mbg_nbd` (Batislam, Denizel & Filiztekin 2007, IJRM 24:201) or `bg_nbd` (Fader,
            Hardie & Lee 2005, Marketing Science 24:275).
        r: Shape of the rates, above 0.
        alpha: Rate of the rates' gamma distribution in days, above 0; the mean is r/α a day.
        a: First shape of the dropout probabilities, above 0.
        b: Second shape, above 0; the mean is a/(a+b).
    """

    model: Literal["mbg_nbd", "bg_nbd"] = "mbg_nbd"
    r: float = 0.525
    alpha: float = 43.281
    a: float = 0.891
    b: float = 1.614

    def __post_init__(self) -> None:
        require(self.model in {"mbg_nbd", "bg_nbd"}, "model", self.model, "mbg_nbd or bg_nbd")
        require_positive(r=self.r, alpha=self.alpha, a=self.a, b=self.b)


@dataclass(frozen=True, slots=True)
class Spend:
    """How much a purchase comes to: Gamma-Gamma, whatever the customer's rhythm.

    A customer's amounts are Gamma(p, ν) with its own ν ~ Gamma(q, γ), rounded to cents and at
    least 0.01; their mean over all customers is p·γ/(q − 1). The defaults are CDNOW's.

    Fader, P. S. & Hardie, B. G. S. (2013), The Gamma-Gamma model of monetary value, note 025.

    Args:
        p: Shape of one customer's amounts, above 0.
        q: Shape of ν, above 1 (the mean is infinite otherwise).
        gamma: Rate of ν in units of the currency, above 0.
        currency: ISO 4217 code.
    """

    p: float = 6.25
    q: float = 3.74
    gamma: float = 15.44
    currency: str = "USD"

    def __post_init__(self) -> None:
        require_positive(p=self.p, gamma=self.gamma)
        require(1 < self.q < float("inf"), "q", self.q, "above 1")

    @property
    def mean(self) -> float:
        """The expected amount of a purchase."""
        return self.p * self.gamma / (self.q - 1)


@dataclass(frozen=True, slots=True)
class Basket:
    """What is in a purchase besides its amount.

    Args:
        cost_share: Mean share of the amount that the goods cost, from 0 to 1; a purchase's own
            share is uniform within a fifth of it. None leaves the cost unknown.
        categories: Number of product categories, each of ten products; one item of a random
            product makes up a purchase. 0 leaves the items out.
        due_days: Days from the purchase to when its payment is due; 0 leaves that out.
        checkout_seconds: Mean of the exponential duration of the checkout; 0 leaves it out.
        coupon_rate: Probability that a purchase was made with a coupon, from 0 to 1.
        discount_rate: Probability that something was taken off, 5 to 30 % of what it would have
            cost, from 0 to 1. The amount is what was paid: it stays.
    """

    cost_share: float | None = None
    categories: int = 0
    due_days: float = 0.0
    checkout_seconds: float = 0.0
    coupon_rate: float = 0.0
    discount_rate: float = 0.0

    def __post_init__(self) -> None:
        if self.cost_share is not None:
            require_share(cost_share=self.cost_share)
        require(self.categories >= 0, "categories", self.categories, "0 or more")
        require(0 <= self.due_days < float("inf"), "due_days", self.due_days, "0 or more")
        seconds = self.checkout_seconds
        require(0 <= seconds < float("inf"), "checkout_seconds", seconds, "0 or more")
        require_share(coupon_rate=self.coupon_rate, discount_rate=self.discount_rate)
