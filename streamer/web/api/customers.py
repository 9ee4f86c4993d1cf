"""Customers: one with all that is known, its curve, and those to be found."""

import asyncio
from collections.abc import Callable
from typing import Annotated, TypeVar

from aiohttp import web
from msgspec import UNSET, Meta, Struct, UnsetType

from streamer.pipeline import Partition
from streamer.pipeline.index import Wanted
from streamer.records.scores import RiskBand
from streamer.web.problems import Problem
from streamer.web.routing import Call, Route, given
from streamer.web.views.curve import ChurnCurve, churn_curve
from streamer.web.views.customer import CustomerView, customer_view
from streamer.web.views.search import CustomerPage, joined, page_of, place_of

View = TypeVar("View", bound=Struct)

Name = Annotated[str, Meta(min_length=1, max_length=64)]


class CustomersQuery(Struct, frozen=True):
    """Which customers, and how many at a time."""

    segment: Name | UnsetType = UNSET
    risk_band: RiskBand | UnsetType = UNSET
    tier: Name | UnsetType = UNSET
    cursor: Annotated[str, Meta(pattern=r"^-?[0-9]{1,19}\.[0-9]{1,20}$")] | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class CurveQuery(Struct, frozen=True):
    """How far ahead."""

    days: Annotated[float, Meta(gt=0, le=3653)] | UnsetType = UNSET


async def list_customers(call: Call) -> CustomerPage:
    """Find customers here and at the other workers."""
    query: CustomersQuery = call.query
    wanted, findings = _wanted(call, query), []
    for partition in call.site.partitions():
        if partition.index is not None:
            findings.append((partition, *partition.index.find(wanted)))
        await asyncio.sleep(0)  # events pass between partitions
    currency = call.site.settings.reporting_currency
    own = page_of(findings, currency, query.limit, call.site.now())
    return joined(await call.site.peers.gather(call.request, own, CustomerPage), query.limit)


def _wanted(call: Call, query: CustomersQuery) -> Wanted:
    settings, after = call.site.settings, None
    if query.segment is not UNSET and query.segment not in settings.segmentation.names:
        raise Problem(404, "there is no such segment: see /v1/segments", "segment")
    if query.tier is not UNSET and query.tier not in settings.loyalty_tiers:
        raise Problem(404, "there is no such tier in STREAMER_LOYALTY_TIERS", "tier")
    if query.cursor is not UNSET and (after := place_of(query.cursor)) is None:
        raise Problem(400, "take `next_cursor` of the page before", "cursor")
    return Wanted(
        segment=given(query.segment),
        risk_band=given(query.risk_band),
        tier=given(query.tier),
        after=after,
        limit=query.limit,
    )


async def get_customer(call: Call) -> CustomerView | web.Response:
    """Tell all of one customer, or have its holder tell."""
    return await _held(call, lambda partition, one: customer_view(partition, one, call.site.now()))


async def get_churn_curve(call: Call) -> ChurnCurve | web.Response:
    """Tell how the churn probability of one customer goes on."""
    days = given(call.query.days) or call.site.settings.horizon_days
    return await _held(call, lambda partition, one: churn_curve(partition, one, days))


async def _held(call: Call, view: Callable[[Partition, str], View | None]) -> View | web.Response:
    """Return a view of the customer asked for, or what its holder answers.

    Raises:
        Problem: there is no such customer.
    """
    customer_id = call.path["customer_id"]
    partition = await call.site.peers.holding(call.request, customer_id)
    if isinstance(partition, web.Response):
        return partition
    found = view(partition, customer_id)
    if found is None:
        raise Problem(
            404, "no purchase of this customer is known: check the id, and see `streamer dlq list`"
        )
    return found


ROUTES = (
    Route(
        path="/v1/customers",
        handler=list_customers,
        summary="Find customers by segment, risk band and tier, the most money at stake first",
        tag="customers",
        answer=CustomerPage,
        query=CustomersQuery,
        problems=(404,),
    ),
    Route(
        path="/v1/customers/{customer_id}",
        handler=get_customer,
        summary="Everything known of a customer, and why",
        tag="customers",
        answer=CustomerView,
        problems=(404,),
    ),
    Route(
        path="/v1/customers/{customer_id}/churn-curve",
        handler=get_churn_curve,
        summary="The churn probability over time, if nothing more is bought",
        tag="customers",
        answer=ChurnCurve,
        query=CurveQuery,
        problems=(404,),
    ),
)
