"""What a change would be worth (V17)."""

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from streamer.scoring.what_if.customer import ONE, Customer
from streamer.scoring.what_if.figures import Changes, WhatIf, what_if
from streamer.web.problems import Problem
from streamer.web.routing import Call, Route

Change = Annotated[str, Meta(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,12})?$")]
"""A decimal number, exactly; so are the others."""
Amount = Annotated[str, Meta(pattern=r"^[0-9]{1,12}(\.[0-9]{1,12})?$")]
Share = Annotated[str, Meta(pattern=r"^(0(\.[0-9]{1,12})?|1(\.0{1,12})?)$")]


class WhatIfRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A change, and the average customer that it changes; see ``streamer what-if --help``."""

    more_per_order: Change = "0"
    more_orders: Change = "0"
    more_years: Change = "0"
    target: Amount | None = None
    retention_points: Change = "5"
    order_value: Amount | None = None
    orders_per_year: Amount | None = None
    years: Amount | None = None
    margin: Share | None = None
    retention_rate: Share | None = None
    discount_rate: Amount | None = None
    acquisition_cost: Amount = "0"


async def ask_what_if(call: Call) -> WhatIf:
    """Size a change."""
    asked: WhatIfRequest = call.body
    settings = call.site.settings
    basis: Literal["revenue", "margin"] = "revenue" if asked.margin is None else "margin"
    try:
        customer = Customer(
            order_value=_or_none(asked.order_value),
            orders_per_year=_or_none(asked.orders_per_year),
            years=_or(asked.years, settings.lifespan_years),
            margin=ONE if asked.margin is None else Decimal(asked.margin),
            retention_rate=_or(asked.retention_rate, settings.retention_rate),
            discount_rate=_or(asked.discount_rate, settings.discount_rate),
            acquisition_cost=Decimal(asked.acquisition_cost),
        )
        return what_if(customer, _changes(asked), settings.reporting_currency, basis)
    except ValueError as error:  # the figures' own, which name what is wrong
        raise Problem(422, f"{error}.") from None


def _changes(asked: WhatIfRequest) -> Changes:
    return Changes(
        more_per_order=Decimal(asked.more_per_order),
        more_orders=Decimal(asked.more_orders),
        more_years=Decimal(asked.more_years),
        target=_or_none(asked.target),
        retention_points=Decimal(asked.retention_points),
    )


def _or_none(given: str | None) -> Decimal | None:
    return None if given is None else Decimal(given)


def _or(given: str | None, setting: float) -> Decimal:
    return Decimal(repr(setting) if given is None else given)


ROUTES = (
    Route(
        method="POST",
        path="/v1/what-if",
        handler=ask_what_if,
        summary="What more an order, more orders, longer custom or more retention would be worth",
        tag="what-if",
        answer=WhatIf,
        body=WhatIfRequest,
        problems=(413, 415, 422),
    ),
)
