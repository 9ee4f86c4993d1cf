"""A real Prometheus scrapes a real worker on a real Kafka: its alerts and dashboard find data."""

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import yaml

from streamer.broker import EmbeddedKafka
from streamer.broker.leash import Leash
from streamer.broker.ports import free_ports
from tests.support.load import Wire, send_all, wire_of
from tests.support.monitoring import (
    RULES,
    metrics_in,
    promtool,
    recorded_in,
    rules,
    targets,
    tool,
)
from tests.support.receiver import SECRET, Receiver
from tests.support.stage import stage

NOT_YET = {
    # They compare with the week before the last day.
    "streamer:order_value_drift:distance1d",
    "streamer:event_mix_drift:distance1d",
    "streamer:event_type:share1w_offset1d",
    # Windows that are over, and suggestions that came to something.
    "streamer_calibration_predicted_purchases",
    "streamer_calibration_actual_purchases",
    "streamer_calibration_auc_ratio",
    "streamer_suggestions_settled_total",
}
"""What a worker cannot know in its first minute."""


class Prometheus:
    """A server of its own on a free port that scrapes an address of each job every second."""

    def __init__(self, folder: Path, scraped: Mapping[str, str]) -> None:
        (self.port,) = free_ports("127.0.0.1", 1)
        self._folder = folder
        files = [str(self._for_tests(path)) for path in RULES]
        jobs = [
            {"job_name": name, "static_configs": [{"targets": [address]}]}
            for name, address in scraped.items()
        ]
        every = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        configuration = {"global": every, "rule_files": files, "scrape_configs": jobs}
        (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))

    def _for_tests(self, path: Path) -> Path:
        """Return a copy of a file of rules in which none waits for longer than a second."""
        rules = yaml.safe_load(path.read_text(encoding="utf-8"))
        for group in rules["groups"]:
            group.pop("interval", None)
        copy = self._folder / path.name
        copy.write_text(yaml.safe_dump(rules))
        return copy

    def start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                tool("prometheus"),
                f"--config.file={self._folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={self._folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--log.level=warn",
            ],
            stdin=subprocess.DEVNULL,
            stdout=(self._folder / "log").open("wb"),
            stderr=subprocess.STDOUT,
        )

    async def query(self, expression: str) -> list[Any]:
        """Return the series that answer; none where there is no server yet."""
        return await asyncio.to_thread(self._query, expression)

    def _query(self, expression: str) -> list[Any]:
        address = f"http://127.0.0.1:{self.port}/api/v1/query?query={quote(expression)}"
        try:
            with urlopen(address, timeout=5) as answer:
                result: list[Any] = json.load(answer)["data"]["result"]
        except ConnectionError:
            return []
        except OSError as error:
            if "refused" in str(error):
                return []
            raise AssertionError(f"{expression}: {error}") from error
        return result


ALL_NAMES = 'group by (__name__) ({__name__=~"(streamer|process).*"})'


def known(found: list[Any]) -> set[str]:
    return {series["metric"]["__name__"] for series in found}


@asynccontextmanager
async def scraping(folder: Path, scraped: Mapping[str, str]) -> AsyncIterator[Prometheus]:
    folder.mkdir()
    server = Prometheus(folder, scraped)
    process = server.start()
    leash = Leash(process.pid)
    try:
        yield server
    finally:
        process.kill()
        process.wait()
        leash.release()


def event(number: int, **changes: Any) -> Wire:
    return wire_of(
        {
            "event_id": f"e{number}",
            "type": "purchase",
            "customer_id": f"c{number % 7}",
            "occurred_at": "2026-09-01T10:00:00Z",
            "order_id": f"o{number}",
            "amount": "10.00",
            "currency": "USD",
            **changes,
        }
    )


async def eventually(holds: Callable[[list[Any]], bool], server: Prometheus, asked: str) -> None:
    deadline = time.monotonic() + 90
    while not holds(found := await server.query(asked)):
        assert time.monotonic() < deadline, f"{asked} gives {str(found)[:2000]}"
        await asyncio.sleep(0.5)


async def test_alerts_and_dashboard_find_data_in_a_real_prometheus(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    async with Receiver() as receiver:
        told = {
            "webhook_urls": json.dumps({"crm": receiver.url}),
            "webhook_secrets": json.dumps({"crm": SECRET}),
            "webhook_outputs": json.dumps({"crm": ["ltv-updates"]}),
            "webhook_from_beginning": True,
        }
        with (
            stage(kafka.bootstrap, tmp_path, partitions=2, clock="stream", **told) as corner,
            corner.worker("worker") as worker,
            corner.teller() as teller,
        ):
            await teller.ready()
            scraped = {
                "streamer": f"127.0.0.1:{worker.port}",
                "streamer-webhooks": f"127.0.0.1:{teller.port}",
            }
            async with scraping(tmp_path / "prometheus", scraped) as server:
                await worker.ready()
                assert corner.command("fit", "--from-kafka").returncode == 0
                for part in range(4):
                    sent = [event(10 * part + number) for number in range(10)]
                    await send_all(
                        kafka.bootstrap, [*sent, event(99, currency="XXX")], corner.prefix
                    )
                    await asyncio.sleep(2)
                await finds_data(server)
            linted = [(await one.get("/metrics"))[1] for one in (worker, teller)]
    for text in linted:
        promtool("check", "metrics", stdin=text)


async def finds_data(server: Prometheus) -> None:
    refused = 'streamer_dead_letters_total{reason="unknown_currency"} == 4'
    await eventually(bool, server, refused)
    await eventually(bool, server, 'streamer_webhook_tries_total{outcome="accepted"} > 0')
    expressions = [rule["expr"] for rule in rules()] + [query for _, query in targets()]
    names = set().union(*(metrics_in(one) | recorded_in(one) for one in expressions))
    await eventually(lambda found: names - NOT_YET <= known(found), server, ALL_NAMES)
    for expression in expressions:
        await server.query(expression)  # fails if it is not understood
    (share,) = await server.query("streamer:dead_letters:ratio_rate5m")
    assert 0.05 < float(share["value"][1]) < 0.15  # 4 of 44
    assert await server.query("streamer_ready == 1 and on (instance) up == 1")
    taken_for_the_other = 'ALERTS{alertname=~"Streamer(Recovery|Worker|Webhook).*"}'
    await eventually(lambda found: not found, server, taken_for_the_other)
