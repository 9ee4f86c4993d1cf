"""What any route does with the body of a request: the server is real, the site is not."""

import gzip
import zlib
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientSession, web

from streamer.broker.ports import free_ports
from streamer.listening import listen
from streamer.settings import Settings
from streamer.web.api.events import EventBatch
from streamer.web.bodies import BYTES_MAX
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
    (port,) = free_ports("127.0.0.1", 1)
    runner = await listen(application, Settings(http_port=port))
    address = f"http://127.0.0.1:{port}{PATH}"
    try:
        async with (
            ClientSession() as session,
            session.post(address, data=body, headers=headers) as answer,
        ):
            told = "application/problem+json" if answer.status != 200 else "application/json"
            assert answer.content_type == told
            return answer.status, await answer.json(content_type=None)
    finally:
        await runner.cleanup()


async def test_a_body_is_read() -> None:
    assert await answer_to(b'{"events": [{}, {}]}') == (200, 2)


@pytest.mark.parametrize("depth", [5_000, 100_000])
async def test_a_body_that_is_nested_too_deeply_is_the_senders_fault(depth: int) -> None:
    nested = b"[" * depth + b"]" * depth
    status, problem = await answer_to(b'{"events": [{"x": ' + nested + b"}]}")
    assert (status, problem["detail"]) == (400, "this is nested too deeply: send flatter JSON")


BODY = b'{"events": [{}, {}]}'
gzipped = partial(gzip.compress, mtime=0)  # the same in all processes that run the tests


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzipped(BODY)),
        ("GZIP", gzipped(BODY[:9]) + gzipped(BODY[9:])),
        ("deflate", zlib.compress(BODY)),
        ("deflate", zlib.compress(BODY)[2:-4]),
        ("identity", BODY),
    ],
)
async def test_a_body_may_be_compressed(encoding: str, body: bytes) -> None:
    assert await answer_to(body, **{"Content-Encoding": encoding}) == (200, 2)


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("gzip", b"notgzip", 400),
        ("gzip", gzipped(BODY)[:-9], 400),
        ("gzip", gzipped(BODY) + b"more", 400),
        ("gzip", b"", 400),
        ("gzip", gzipped(b"") * 50_000, 400),
        ("deflate", BODY, 400),
        ("gzip", gzipped(b"[" * (BYTES_MAX + 1)), 413),
        ("gzip", gzipped(b" " * BYTES_MAX) + gzipped(BODY), 413),
        ("zstd", BODY, 415),
        ("br", BODY, 415),
        ("gzip, gzip", BODY, 415),
    ],
)
async def test_a_body_that_cannot_be_decompressed_is_the_senders_fault(
    encoding: str, body: bytes, status: int
) -> None:
    answered, problem = await answer_to(body, **{"Content-Encoding": encoding})
    assert (answered, problem["status"]) == (status, status)
