"""docs/outbox.md as a backend's developer would try it: PostgreSQL, Kafka and worker are real."""

import asyncio
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streamer.broker import EmbeddedKafka
from streamer.broker.ports import free_ports
from tests.support.stage import Stage, stage

PAGE = Path(__file__).parents[2] / "docs" / "outbox.md"
BLOCK = re.compile(r"^```(sql|sh)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
POSTGRES = shutil.which("postgres")
TOKEN = "w" * 20
NOBODY = 65534
ORDERS = (
    "create table orders (id bigint primary key, customer_id text, total numeric, currency text);"
)


class Database:
    """One PostgreSQL, whose clients are run with `variables`."""

    def __init__(self, variables: dict[str, str]) -> None:
        self.variables = variables

    def run(self, sql: str) -> str:
        """Return what psql prints."""
        command = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1"]
        done = subprocess.run(
            command, env=self.variables, input=sql, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@contextmanager
def database() -> Iterator[Database]:
    """Give a database of its own; PostgreSQL will not run as root, so then it runs as nobody."""
    assert POSTGRES
    binaries = Path(POSTGRES).resolve().parent
    is_root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if is_root else {}
        if is_root:
            os.chown(folder, NOBODY, NOBODY)
        (port,) = free_ports("127.0.0.1", 1)
        data = str(folder / "data")
        initialise = [str(binaries / "initdb"), "-D", data, "-U", "shop", "-A", "trust", "-N"]
        subprocess.run(initialise, check=True, capture_output=True, cwd=folder, **user)  # type: ignore[call-overload] # by name
        server = subprocess.Popen(  # type: ignore[call-overload] # by name
            [POSTGRES, "-D", data, "-k", name, "-h", "127.0.0.1", "-p", str(port), "-F"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, **user,
        )  # fmt: skip
        variables = {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": "shop"}
        ready = [str(binaries / "pg_isready"), "-q", "-t", "1"]
        try:
            for _ in range(100):
                if subprocess.run(ready, env=variables, check=False).returncode == 0:
                    break
            yield Database({**variables, "PGDATABASE": "postgres"})
        finally:
            server.terminate()
            server.wait()


@pytest.mark.skipif(
    not (POSTGRES and shutil.which("psql") and shutil.which("curl")),
    reason="PostgreSQL or curl is not installed",
)
async def test_an_order_and_its_event_are_there_both_or_neither(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    (_, table), (_, order), (_, relay) = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    script = tmp_path / "relay.sh"
    script.write_text(relay)
    with (
        database() as shop,
        stage(kafka.bootstrap, tmp_path, partitions=1, http_write_token=TOKEN) as corner,
        corner.worker("worker") as worker,
    ):
        await worker.ready()
        shop.run(ORDERS + table)
        shop.run(order)
        shop.run(order.replace("1001", "1002").replace("commit", "rollback"))
        shop.run(order.replace("1001", "1003").replace("59.90", "-1"))
        assert shop.run("select count(*) from outbox") == "2"
        address = f"http://127.0.0.1:{worker.port}"
        relaying = {"STREAMER_URL": address, "STREAMER_TOKEN": TOKEN, "OUTBOX_SECONDS": "0.1"}
        with subprocess.Popen(["sh", str(script)], env=shop.variables | relaying) as process:
            try:
                left = "select event ->> 'order_id' || ' ' || (refused ->> 'field') from outbox"
                await until(shop, left, "1003 amount")
                right = 'update outbox set refused = null, event = event || \'{"amount": "0.10"}\''
                shop.run(right)
                await until(shop, "select count(*) from outbox", "0")
            finally:
                process.kill()
        await scored(corner, "60.00")


async def until(shop: Database, sql: str, expected: str) -> None:
    async with asyncio.timeout(60):
        while shop.run(sql) != expected:
            await asyncio.sleep(0.2)


async def scored(corner: Stage, worth: str) -> None:
    async with asyncio.timeout(60):
        while worth not in corner.command("customer", "ann").stdout:
            await asyncio.sleep(0.2)
