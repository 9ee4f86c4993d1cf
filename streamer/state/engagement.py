"""How a customer was won, what it thinks and tells others, what the shop knows of it.

Like all of a row a function of the *set* of events: sums, extremes, and maps whose entries are won
by the latest (an attribute) or the earliest (an arm). Of two at one instant the lesser text wins.
The maps are bounded so that this holds beyond their bounds, too: attributes only become later, so
those told of last stay; arms only become earlier, so the earliest experiments stay.
"""

from msgspec import Struct, field

from streamer.records.events import (
    AcquisitionCost,
    Exposure,
    Profile,
    Rating,
    Share,
    Surroundings,
)
from streamer.records.instants import NEVER
from streamer.state.opinions import Opinion, with_rating

ATTRIBUTES_MAX = 24
ATTRIBUTE_NAME_BYTES_MAX = 64
ATTRIBUTE_BYTES_MAX = 128
"""Of the value as JSON. What is longer is not kept."""

EXPERIMENTS_MAX = 24
EXPERIMENT_BYTES_MAX = 128
"""Of the id, and of the arm. What is longer is not kept."""

CHANNELS_MAX = 16
CHANNEL_BYTES_MAX = 128
"""Longer names are not kept, nor is what was spent on them kept apart."""

LOCATION_BYTES_MAX = 128
"""Longer ones are not kept."""

Told = tuple[int, str]
"""When, and what."""


class Engagement(Struct, array_like=True):
    """What is kept of a customer besides its orders. Units as in ``Row``."""

    channel: Told = (NEVER, "")
    """Of the earliest purchase that names one."""
    location: Told = (NEVER, "")
    """Of the latest purchase that names one."""
    acquisition_costs: int = 0
    """How many were told."""
    acquisition_cost: int = 0
    """Their sum."""
    paid_channel: Told = (NEVER, "")
    """Of the earliest acquisition cost that names one."""
    ratings: int = 0
    rating_sum: int = 0
    """In millionths, on the scale to 5."""
    last_rating: tuple[int, int] = (NEVER, 0)
    """When, and the rating in millionths; of two at one instant the lower."""
    shares: int = 0
    attributes: dict[str, Told] = field(default_factory=dict)
    """The latest value of each as JSON, by name."""
    experiments: dict[str, Told] = field(default_factory=dict)
    """The first arm, by experiment."""
    channel_costs: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Of the acquisition costs that name a channel, how many and their sum, by channel: those of
    the least names, which no order of arrival changes."""
    opinions: dict[str, Opinion] = field(default_factory=dict)
    """The latest rating of each product or category rated (see ``opinions``)."""


def surrounded(kept: Engagement, at: int, where: Surroundings) -> None:
    """Note where a purchase at ``at`` was made."""
    if where.channel and len(where.channel.encode()) <= CHANNEL_BYTES_MAX:
        kept.channel = _earlier(kept.channel, (at, where.channel))
    if where.location and len(where.location.encode()) <= LOCATION_BYTES_MAX:
        kept.location = _later(kept.location, (at, where.location))
    if where.experiment_id:
        _expose(kept, at, where.experiment_id, where.arm)


def paid(kept: Engagement, event: AcquisitionCost) -> None:
    """Add what it cost to win the customer."""
    kept.acquisition_costs += 1
    kept.acquisition_cost += event.amount
    if event.channel and len(event.channel.encode()) <= CHANNEL_BYTES_MAX:
        kept.paid_channel = _earlier(kept.paid_channel, (event.occurred_at, event.channel))
        _spend(kept, event.channel, event.amount)


def _spend(kept: Engagement, channel: str, amount: int) -> None:
    costs, spent = kept.channel_costs.get(channel, (0, 0))
    found = kept.channel_costs | {channel: (costs + 1, spent + amount)}
    kept.channel_costs = {name: found[name] for name in sorted(found)[:CHANNELS_MAX]}


def rated(kept: Engagement, event: Rating) -> None:
    """Add a rating."""
    kept.ratings += 1
    kept.rating_sum += event.rating
    at, rating = kept.last_rating
    if event.occurred_at > at or (event.occurred_at == at and event.rating < rating):
        kept.last_rating = event.occurred_at, event.rating
    kept.opinions = with_rating(kept.opinions, event)


def shared(kept: Engagement, event: Share) -> None:  # noqa: ARG001 - only how many is kept
    """Count a share."""
    kept.shares += 1


def profiled(kept: Engagement, event: Profile) -> None:
    """Take over attributes, each where it is the latest; the earliest told go where room lacks."""
    attributes = kept.attributes
    for name, value in event.attributes.items():
        attributes[name] = _later(attributes.get(name, (NEVER, "")), (event.occurred_at, value))
    # Sorted, as all of a row: equal rows have equal bytes.
    latest = sorted(attributes, key=lambda name: (-attributes[name][0], name))[:ATTRIBUTES_MAX]
    kept.attributes = {name: attributes[name] for name in sorted(latest)}


def exposed(kept: Engagement, event: Exposure) -> None:
    """Note the arm of an experiment, if it is the first."""
    _expose(kept, event.occurred_at, event.experiment_id, event.arm)


def _expose(kept: Engagement, at: int, experiment_id: str, arm: str) -> None:
    if max(len(experiment_id.encode()), len(arm.encode())) > EXPERIMENT_BYTES_MAX:
        return
    arms = kept.experiments
    arms[experiment_id] = _earlier(arms.get(experiment_id, (NEVER, "")), (at, arm))
    earliest = sorted(arms, key=lambda one: (arms[one][0], one))[:EXPERIMENTS_MAX]
    kept.experiments = {one: arms[one] for one in sorted(earliest)}


def _earlier(one: Told, other: Told) -> Told:
    return other if one[0] == NEVER or other < one else one


def _later(one: Told, other: Told) -> Told:
    """Of one instant the lesser text."""
    return other if other[0] > one[0] or (other[0] == one[0] and other[1] < one[1]) else one
