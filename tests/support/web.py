"""A worker's API as its users ask it, and a shop to ask about."""

import json
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from tests.support.stage import Stage

SECONDS_MAX = 90
SHOP = shlex.split("""
    --customers 300 --days 400 --acquisition-days 300 --cost-share 0.5 --categories 4 --channels 2
    --referral-rate 0.2 --rating-rate 0.4 --experiment-rate 0.8 --acquisition-cost 9
    --profile-rate 0.2 --params r=.8,alpha=30,a=.9,b=2.2
""")
TIERS = {"bronze": 0, "silver": 150}
SETTINGS: dict[str, object] = {
    "clock": "stream",
    "referral_programme": True,
    "loyalty_tiers": json.dumps(TIERS),
    "programme_interval_seconds": 1,
    "rescore_per_second": 50_000,
}
"""The shop is of the past: its time is that of its events."""


class Answer(dict[str, Any]):
    """A JSON object, with the status and the headers that it came with."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(json.loads(body))
        self.status = status
        self.headers = headers


class Api:
    """One worker's API."""

    def __init__(self, port: int, token: str | None = None) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def get(self, path: str, headers: Mapping[str, str] | None = None, **query: object) -> Answer:
        """Return what ``/v1/path`` answers, whatever the status."""
        asked = f"{self.address}/v1/{path}{'?' * bool(query)}{urlencode(query)}"
        return self._answer(Request(asked, headers={**self._headers, **(headers or {})}))

    def post(self, path: str, body: object) -> Answer:
        headers = {**self._headers, "Content-Type": "application/json"}
        data = json.dumps(body).encode()
        return self._answer(Request(f"{self.address}/v1/{path}", data, headers))

    def _answer(self, request: Request) -> Answer:
        """Ask again while partitions move, as a client should."""
        deadline = time.monotonic() + SECONDS_MAX
        while (found := self._once(request)).status == 503 and time.monotonic() < deadline:
            time.sleep(float(found.headers["Retry-After"]))
        return found

    def status(self, path: str) -> int:
        """Return the status of a single try."""
        return self._once(Request(f"{self.address}/v1/{path}", headers=self._headers)).status

    def _once(self, request: Request) -> Answer:
        try:
            with urlopen(request, timeout=30) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except HTTPError as error:
            return Answer(error.code, dict(error.headers), error.read())

    def customers(self, limit: int = 200, **query: Any) -> Iterator[dict[str, Any]]:
        """Give all customers found, page after page."""
        more: dict[str, Any] = {}
        while True:
            page = self.get("customers", limit=limit, **query, **more)
            assert page.status == 200, page
            yield from page["customers"]
            if page["next_cursor"] is None:
                return
            more = {"cursor": page["next_cursor"]}

    def wait_until_settled(self, customers: int) -> Answer:
        """Wait until so many customers are counted and none has changed since."""
        deadline = time.monotonic() + SECONDS_MAX
        while True:
            found = self.get("overview")
            if found.status == 200 and found["customers"] == customers and not found["pending"]:
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.2)


def until(holds: Callable[[], object]) -> None:
    """Wait until ``holds()``."""
    deadline = time.monotonic() + SECONDS_MAX
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def open_shop(corner: Stage) -> int:
    """Send the events of a shop; return how many customers are known by them."""
    made = corner.command("simulate", *SHOP)
    assert made.returncode == 0, made.stderr
    sent = corner.command("send", "-", stdin=made.stdout)
    assert sent.returncode == 0, sent.stderr
    events = map(json.loads, made.stdout.splitlines())
    return len({event["customer_id"] for event in events})
