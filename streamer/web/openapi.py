"""The API's own description, OpenAPI 3.1, made of the routes and their types."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec

from streamer.web.problems import MEDIA_TYPE, ProblemDetails
from streamer.web.routing import JSON, Route

Node = dict[str, Any]

REFERENCES = "#/components/schemas/{name}"
NAMED = re.compile(r"\{(\w+)\}")
TITLE = "streamer"
DESCRIPTION = (
    "Customer lifetime value and churn risk, as the worker's rows have it now. Money is a decimal "
    "string; what cannot be known is null, with its reason in `null_reasons`. Instants are UTC."
)
ANY_REQUEST = (400, 401, 403, 503)
"""Statuses of problems that any request may meet."""


def document(routes: Sequence[Route], version: str, *, guarded: bool) -> Node:
    """Return the description of ``routes``.

    Args:
        routes: all there are.
        version: of this program.
        guarded: whether a token is needed.
    """
    types = [ProblemDetails, *(_types(routes))]
    _, components = msgspec.json.schema_components(types, ref_template=REFERENCES)
    paths: dict[str, Node] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    described: Node = {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": version, "description": DESCRIPTION},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
    if guarded:
        described["security"] = [{"token": []}]
    return described


def _types(routes: Iterable[Route]) -> list[Any]:
    return [one for route in routes for one in (route.answer, route.body) if one is not None]


def _operation(route: Route) -> Node:
    operation: Node = {
        "operationId": route.handler.__name__,
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": [*_in_path(route), *_in_query(route), *_in_headers(route)],
        "responses": {
            "200": {
                "description": "As asked.",
                "content": {route.media_type: {"schema": _schema(route.answer)}},
            },
            **{str(status): _problem(status) for status in sorted({*ANY_REQUEST, *route.problems})},
        },
    }
    if route.body is not None:
        content = {JSON: {"schema": _schema(route.body)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _schema(of: Any) -> Mapping[str, Any]:
    (schema,), _ = msgspec.json.schema_components([of], ref_template=REFERENCES)
    return schema


@cache
def _problem(status: int) -> Node:
    schema = _schema(ProblemDetails)
    return {
        "description": f"{HTTPStatus(status).phrase}: problem details (RFC 9457).",
        "content": {MEDIA_TYPE: {"schema": schema}},
    }


def _in_path(route: Route) -> list[Node]:
    text = {"type": "string", "minLength": 1, "maxLength": 256}
    return [
        {"name": name, "in": "path", "required": True, "schema": text}
        for name in NAMED.findall(route.path)
    ]


def _in_query(route: Route) -> list[Node]:
    if route.query is None:
        return []
    schema = msgspec.json.schema(route.query)["$defs"][route.query.__name__]
    return [
        {"name": name, "in": "query", "required": False, "schema": one}
        for name, one in schema["properties"].items()
    ]


def _in_headers(route: Route) -> list[Node]:
    return [
        {
            "name": name,
            "in": "header",
            "required": False,
            "description": told,
            "schema": {"type": "string"},
        }
        for name, told in route.headers.items()
    ]
