"""The API's own description."""

from typing import Any

from streamer.web.openapi import document
from streamer.web.routing import Call, Route


async def get_openapi(call: Call) -> dict[str, Any]:
    """Describe all routes."""
    settings = call.site.settings
    guarded = settings.http_read_token is not None or settings.http_admin_token is not None
    return document(call.site.routes, call.site.version, guarded=guarded)


ROUTES = (
    Route(
        path="/v1/openapi.json",
        handler=get_openapi,
        summary="This description",
        tag="description",
        answer=dict[str, Any],
    ),
)
