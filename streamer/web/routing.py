"""What a route is, and how each request of one is answered.

To add one: write a handler, and a ``Route`` in its module's ``ROUTES``; ``site`` gathers them, and
``openapi`` describes them from the same types.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec
from aiohttp import web
from msgspec import UNSET, Struct, UnsetType

from streamer.web.bodies import body_of
from streamer.web.problems import Problem
from streamer.web.tokens import Scope

if TYPE_CHECKING:
    from streamer.web.site import Site

T = TypeVar("T")

logger = logging.getLogger(__name__)

PREFIX = "/v1/"
JSON = "application/json"
EVENTS = "text/event-stream"
GUARDS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""Headers of every answer: what the API tells is of persons."""


class Call(Struct, frozen=True):
    """One request, checked."""

    site: "Site"
    request: web.Request
    path: Mapping[str, str]
    """The parameters in the path."""
    query: Any = None
    """Of the route's type."""
    body: Any = None


Handler = Callable[[Call], Awaitable[Any]]
"""Returns what the route answers, or a finished response."""


class Route(Struct, frozen=True, kw_only=True):
    """One operation of the API."""

    path: str
    handler: Handler
    summary: str
    tag: str
    answer: Any
    """The type of what a 200 holds."""
    method: Literal["GET", "POST"] = "GET"
    query: type[Struct] | None = None
    """Its fields are the parameters; none other is taken."""
    headers: Mapping[str, str] = {}
    """What may be asked by a header besides, and what it says; its handler checks it."""
    body: type[Struct] | None = None
    scope: Scope = "read"
    media_type: str = JSON
    problems: tuple[int, ...] = ()
    """Statuses of problems besides those that any request may meet."""


def given(value: T | UnsetType) -> T | None:
    """Return a parameter; None where it was left out.

    Their default is ``UNSET``: with None, the text "null" would be taken for it.
    """
    return None if value is UNSET else value


def mount(router: web.UrlDispatcher, route: Route, site: "Site") -> None:
    """Answer ``route``."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return await _answer(route, site, request)

    # No HEAD: figures are made when they are asked for.
    router.add_route(route.method, route.path, answer)


@web.middleware
async def problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer with problem details whatever goes wrong with the API's requests."""
    if not request.path.startswith(PREFIX):
        return await handler(request)
    try:
        response = await handler(request)
    except Problem as problem:
        response = problem.response()
    except web.HTTPException as error:  # aiohttp's own: no such route or method, too long a body
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        hint = f"{error.reason.lower()}: see /v1/openapi.json for what there is"
        response = Problem(error.status, hint, None, headers).response()
    except ConnectionError:
        raise  # the client is gone
    except Exception:
        # Not the path: it may name a customer.
        place = request.match_info.route.resource
        logger.exception("%s %s failed", request.method, place and place.canonical)
        response = Problem(500, "a fault of streamer's: see the worker's log").response()
    if not response.prepared:
        response.headers.update(GUARDS)
    return response


async def _answer(route: Route, site: "Site", request: web.Request) -> web.StreamResponse:
    site.gate.check(request.headers.get("Authorization"), request.host, route.scope)
    query, body = _query(route, request), await _body(route, request)
    answer = await route.handler(Call(site, request, request.match_info, query, body))
    if isinstance(answer, web.StreamResponse):
        return answer
    return web.Response(body=msgspec.json.encode(answer), content_type=JSON)


def _query(route: Route, request: web.Request) -> Any:
    """Return the parameters behind the question mark.

    Raises:
        Problem: 400, naming the one at fault.
    """
    known = () if route.query is None else route.query.__struct_fields__
    for name in request.query:
        if name not in known:
            listed = ", ".join(known) or "none"
            raise Problem(400, f"there is no such parameter here; there are: {listed}", name)
        if len(request.query.getall(name)) > 1:
            raise Problem(400, "give it once", name)
    if route.query is None:
        return None
    try:
        return msgspec.convert(dict(request.query), route.query, strict=False)
    except msgspec.ValidationError as error:
        raise _fault(error) from None


async def _body(route: Route, request: web.Request) -> Any:
    if route.body is None:
        return None
    if request.content_type != JSON:
        raise Problem(415, f"send {JSON}")
    try:
        return msgspec.json.decode(await body_of(request), type=route.body)
    except msgspec.ValidationError as error:
        raise _fault(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(400, f"this is no JSON: {error}") from None
    except RecursionError:
        raise Problem(400, "this is nested too deeply: send flatter JSON") from None


def _fault(error: msgspec.ValidationError) -> Problem:
    """Return the problem of a parameter: msgspec tells its place as `$.name`."""
    message, _, place = str(error).partition(" - at `$.")
    return Problem(400, message, place.rstrip("`") or None)
