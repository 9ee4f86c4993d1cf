"""The API's own description."""

from typing import Any

from streamer.web.openapi import document
from streamer.web.routing import Call, Route


async def get_openapi(call: Call) -> dict[str, Any]:
    """Describe all routes."""
    site = call.site
    return document(site.routes, site.version, guarded=site.settings.guarded)


ROUTES = (
    Route(
        path="/v1/openapi.json",
        handler=get_openapi,
        summary="This description",
        tag="description",
        answer=dict[str, Any],
    ),
)
