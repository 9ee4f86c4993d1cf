"""One customer: everything that is known, and why."""

from datetime import date, datetime, timedelta

from msgspec import Struct

from streamer.pipeline import Partition
from streamer.records.announcements import Action
from streamer.records.instants import EPOCH, LAST, NEVER, to_datetime
from streamer.records.money import UNIT, format_amount, minor_digits
from streamer.records.scores import ChurnRiskUpdate, LtvUpdate
from streamer.scoring.actions.playbook import reason_of
from streamer.scoring.expressions import Frame
from streamer.state.engagement import Engagement
from streamer.state.row import Row
from streamer.state.windows import DAY_FIELDS
from streamer.web.views.money import money
from streamer.web.views.standing import Standing, standings


class Day(Struct, frozen=True):
    """What a UTC day brought."""

    day: date
    orders: int
    revenue: str
    refunded: str


class DatedText(Struct, frozen=True):
    """Something told of a customer, and when."""

    name: str
    value: str
    at: datetime


class History(Struct, frozen=True, kw_only=True):
    """What the row holds besides the figures of the scores."""

    days: list[Day]
    """With an order or a refund, oldest first: the last year and the lateness, at least."""
    referrals_sent: int
    referred_by: str | None
    referred_at: datetime | None
    last_rating: float | None
    """Of 5."""
    last_rating_at: datetime | None
    shares: int
    attributes: list[DatedText]
    """Values as JSON."""
    experiments: list[DatedText]
    """The first arm of each."""


class Recommendations(Struct, frozen=True, kw_only=True):
    """What to do next, as was told last; reasons and money as of now."""

    actions: list[Action]
    suggested_at: datetime | None
    """Since when the first stands."""


class CustomerView(Struct, frozen=True, kw_only=True):
    """A customer as it stands."""

    customer_id: str
    as_of: datetime
    partition: int
    ltv: LtvUpdate
    """The score of this moment, as ``ltv-updates`` would have it."""
    churn_risk: ChurnRiskUpdate
    segments: list[str]
    recommended: Recommendations
    history: History


def customer_view(partition: Partition, customer_id: str, now: datetime) -> CustomerView | None:
    """Return a customer of ``partition``; None if nothing has been told of it."""
    standing = standings(partition, [customer_id], now).get(customer_id)
    if standing is None:
        return None
    return CustomerView(
        customer_id=customer_id,
        as_of=standing.ltv.as_of,
        partition=partition.number,
        ltv=standing.ltv,
        churn_risk=standing.churn_risk,
        segments=standing.segments,
        recommended=_recommended(partition, standing),
        history=_history(standing.row, minor_digits(standing.ltv.currency)),
    )


# -- recommended actions ----------------------------------------------------------------------


def _recommended(partition: Partition, standing: Standing) -> Recommendations:
    """Return the list that stands, each with its reason and its money as they are now."""
    playbook, told = partition.configuration.playbook, standing.told
    frame = Frame([standing.ltv], [standing.churn_risk])
    partition.configuration.segmentation.memberships(frame)
    choices = playbook.choices(frame) if playbook.rules else None
    places = {f"{rule.name}@{rule.version}": place for place, rule in enumerate(playbook.rules)}
    actions = []
    for rank, name in enumerate(told.actions, 1):
        place, stake, reason = places.get(name), None, "nothing else suits"
        deadline = told.deadline if rank == 1 else LAST
        if choices is not None and place is not None:
            choice = choices.choice(0, place)
            if choice.money is not None:
                stake = money(choice.money * UNIT, standing.ltv.currency)
            reason = reason_of(choice.rule.reasons, (standing.ltv, standing.churn_risk))
            if rank > 1:
                deadline = min(round(choice.deadline * 1_000_000), LAST)
        actions.append(_action(rank, name, reason, stake, deadline))
    return Recommendations(actions=actions, suggested_at=_moment(told.suggested_at))


def _action(rank: int, name: str, reason: str, at_stake: str | None, deadline: int) -> Action:
    of, _, version = name.partition("@")
    return Action(rank, of, int(version), reason, at_stake, _deadline(deadline))


def _deadline(instant: int) -> datetime | None:
    return None if instant >= LAST else to_datetime(instant)


# -- what the row holds -----------------------------------------------------------------------


def _history(row: Row, digits: int) -> History:
    kept = row.engagement or Engagement()
    rated_at, rating = kept.last_rating
    return History(
        days=_days(row, digits),
        referrals_sent=row.referrals_sent,
        referred_by=row.referrer or None,
        referred_at=_moment(row.referred_at),
        last_rating=None if rated_at == NEVER else rating / UNIT,
        last_rating_at=_moment(rated_at),
        shares=kept.shares,
        attributes=_dated(kept.attributes),
        experiments=_dated(kept.experiments),
    )


def _days(row: Row, digits: int) -> list[Day]:
    days = row.days
    return [
        Day(
            (EPOCH + timedelta(days=days[at])).date(),
            days[at + 1],
            format_amount(days[at + 2], digits),
            format_amount(days[at + 3], digits),
        )
        for at in range(0, len(days), DAY_FIELDS)
    ]


def _dated(told: dict[str, tuple[int, str]]) -> list[DatedText]:
    return [DatedText(name, value, to_datetime(at)) for name, (at, value) in told.items()]


def _moment(instant: int) -> datetime | None:
    return None if instant == NEVER else to_datetime(instant)
