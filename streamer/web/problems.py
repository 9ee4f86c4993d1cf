"""Errors as problem details (RFC 9457): what went wrong, in words, and how to go on."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from aiohttp import web
from msgspec import Struct

MEDIA_TYPE = "application/problem+json"


class ProblemDetails(Struct, frozen=True, omit_defaults=True):
    """What an error answers."""

    type: str
    """A URI of the kind of problem; its last part names it."""
    title: str
    status: int
    detail: str
    """What went wrong here, and what to do about it."""
    field: str | None = None
    """The parameter at fault, where it is one."""


class Problem(Exception):  # noqa: N818 - it is what RFC 9457 calls it
    """A request cannot be answered.

    Args:
        status: of the answer, 400 to 599.
        detail: one sentence, with the way out.
        field: the parameter at fault.
        headers: more of the answer's.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.field = status, detail, field
        self.headers = headers or {}

    def response(self) -> web.Response:
        """Return the answer."""
        title = HTTPStatus(self.status).phrase
        name = title.lower().replace(" ", "-")
        details = ProblemDetails(
            f"urn:streamer:problem:{name}", title, self.status, self.detail, self.field
        )
        return web.Response(
            status=self.status,
            body=msgspec.json.encode(details),
            headers={"Content-Type": MEDIA_TYPE, **self.headers},
        )


def not_yet(detail: str) -> Problem:
    """Return the problem of what will be there in a moment."""
    return Problem(503, detail, headers={"Retry-After": "1"})
