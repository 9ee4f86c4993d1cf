from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from streamer.listening import metrics_page
from streamer.metrics import REGISTRY


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
