"""What any route does with the body of a request: the server is real, the site is not."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from streamer.web.api.events import EventBatch
from streamer.web.routing import Call, Route, mount, problems

PATH = "/v1/numbers"


async def number(call: Call) -> int:
    return len(call.body.events)


async def answer_to(body: bytes, **headers: str) -> tuple[int, Any]:
    """Return the status, and the problem or what else it answers."""
    site: Any = SimpleNamespace(gate=SimpleNamespace(check=lambda *_: None))
    route = Route(
        method="POST", path=PATH, handler=number, summary="", tag="", answer=int, body=EventBatch
    )
    application = web.Application(middlewares=[problems])
    mount(application.router, route, site)
    headers = {"Content-Type": "application/json", **headers}
    async with TestClient(TestServer(application)) as client:
        answer = await client.post(PATH, data=body, headers=headers)
        told = "application/problem+json" if answer.status != 200 else "application/json"
        assert answer.content_type == told
        return answer.status, await answer.json(content_type=None)


async def test_a_body_is_read() -> None:
    assert await answer_to(b'{"events": [{}, {}]}') == (200, 2)


@pytest.mark.parametrize("depth", [990, 100_000])
async def test_a_body_that_is_nested_too_deeply_is_the_senders_fault(depth: int) -> None:
    nested = b"[" * depth + b"]" * depth
    status, problem = await answer_to(b'{"events": [{"x": ' + nested + b"}]}")
    assert (status, problem["detail"]) == (400, "this is nested too deeply: send flatter JSON")
