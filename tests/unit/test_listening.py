import socket

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from streamer.errors import StreamerError
from streamer.listening import listen, metrics_page
from streamer.metrics import REGISTRY
from streamer.settings import Settings


async def metrics_of(query: str) -> str:
    application = web.Application()
    application.add_routes([web.get("/metrics", metrics_page(REGISTRY))])
    async with TestClient(TestServer(application)) as client:
        return await (await client.get("/metrics" + query)).text()


def families(exposition: str) -> set[str]:
    return {line.split()[2] for line in exposition.splitlines() if line.startswith("# TYPE ")}


async def test_all_metrics_are_told_or_those_that_are_named() -> None:
    all_of_them = families(await metrics_of(""))
    assert {"streamer_events_total", "streamer_ready"} < all_of_them
    named = "?name[]=streamer_events_total&name[]=streamer_ready"
    assert families(await metrics_of(named)) == {"streamer_events_total", "streamer_ready"}
    assert families(await metrics_of("?name[]=no_such_metric")) == set()


async def test_a_taken_port_is_told_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        settings = Settings(_env_file=None, http_host="127.0.0.1", http_port=port)
        told = rf"port {port} on 127\.0\.0\.1 is taken \(STREAMER_HTTP_PORT\): end"
        with pytest.raises(StreamerError, match=told):
            await listen(web.Application(), settings)


async def test_an_address_of_another_machine_is_told() -> None:
    settings = Settings(_env_file=None, http_host="192.0.2.1", http_read_token="x" * 32)
    with pytest.raises(StreamerError, match="STREAMER_HTTP_HOST"):
        await listen(web.Application(), settings)
