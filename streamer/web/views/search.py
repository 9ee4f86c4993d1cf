"""Finding customers: a page of them, the most money at stake first."""

import re
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from streamer.pipeline import Partition
from streamer.pipeline.index import UNKNOWN, Found, Place
from streamer.records.scores import RiskBand
from streamer.web.views.money import money
from streamer.web.views.standing import Standing, standings

_CURSOR = re.compile(r"(-?\d{1,19})\.(\d{1,20})")


class CustomerItem(Struct, frozen=True, kw_only=True):
    """A customer on a list."""

    customer_id: str
    cursor: str
    """Where it stands: ask with the last one for what comes behind."""
    money_at_stake: str | None
    """What is expected of it within the horizon; before a model is fitted, the last year's net
    revenue times the churn probability. Of the last day, as the order is; all else is of now."""
    risk_band: RiskBand | None
    churn_probability: float | None
    predicted_clv: str | None
    predicted_clv_low: str | None
    predicted_clv_high: str | None
    historic_clv: str
    orders: int
    loyalty_tier: str | None
    segments: list[str]
    last_purchase_at: datetime | None
    win_back_by: datetime | None
    next_action: str | None


class CustomerPage(Struct, frozen=True, kw_only=True):
    """Some customers of those asked for."""

    total: int
    """Of all that were asked for, on all pages."""
    complete: bool
    """False while a worker that has just started is still going through its customers."""
    currency: str
    customers: list[CustomerItem]
    next_cursor: str | None
    """Null on the last page."""


def place_of(cursor: str) -> Place | None:
    """Return where ``cursor`` points; None if it is none."""
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        return None
    stake, tie = map(int, found.groups())
    return (stake, tie) if -(2**63) <= stake < 2**63 and tie < 2**64 else None


Finding = tuple[Partition, int, list[Found]]
"""Of a partition: how many customers there are of those wanted, and the first of them."""


def page_of(findings: Sequence[Finding], currency: str, limit: int, now: datetime) -> CustomerPage:
    """Return the first customers of some partitions; only those are scored."""
    found = sorted(
        ((one, partition) for partition, _, some in findings for one in some),
        key=lambda pair: (-pair[0].place[0], pair[0].place[1]),
    )
    chosen = found[:limit]
    standing: dict[str, Standing] = {}
    for partition, _, _ in findings:
        ids = [one.customer_id for one, of in chosen if of is partition]
        standing |= standings(partition, ids, now)
    return CustomerPage(
        total=sum(total for _, total, _ in findings),
        complete=all(partition.counting.has_counted_all for partition, _, _ in findings),
        currency=currency,
        # Who is not there has been erased since the index was renewed.
        customers=[
            _item(one, standing[one.customer_id], currency)
            for one, _ in chosen
            if one.customer_id in standing
        ],
        next_cursor=_cursor(chosen[-1][0].place) if len(chosen) == limit else None,
    )


def joined(pages: Sequence[CustomerPage], limit: int) -> CustomerPage:
    """Return the first customers of ``pages``, one or more."""
    items = sorted(
        (item for page in pages for item in page.customers), key=lambda item: _order(item.cursor)
    )
    more = len(items) > limit or any(page.next_cursor is not None for page in pages)
    items = items[:limit]
    return CustomerPage(
        total=sum(page.total for page in pages),
        complete=all(page.complete for page in pages),
        currency=pages[0].currency,
        customers=items,
        next_cursor=items[-1].cursor if more and items else None,
    )


def _cursor(place: Place) -> str:
    return f"{place[0]}.{place[1]}"


def _order(cursor: str) -> tuple[int, int]:
    stake, _, tie = cursor.partition(".")
    return -int(stake), int(tie)


def _item(found: Found, standing: Standing, currency: str) -> CustomerItem:
    ltv, risk, (stake, _) = standing.ltv, standing.churn_risk, found.place
    return CustomerItem(
        customer_id=found.customer_id,
        cursor=_cursor(found.place),
        money_at_stake=money(stake, currency) if stake != UNKNOWN else None,
        risk_band=risk.risk_band,
        churn_probability=risk.churn_probability,
        predicted_clv=ltv.predicted_clv,
        predicted_clv_low=ltv.predicted_clv_low,
        predicted_clv_high=ltv.predicted_clv_high,
        historic_clv=ltv.historic_clv,
        orders=ltv.orders,
        loyalty_tier=ltv.loyalty_tier,
        segments=standing.segments,
        last_purchase_at=ltv.last_purchase_at,
        win_back_by=risk.win_back_by,
        next_action=next((name.partition("@")[0] for name in standing.told.actions), None),
    )
