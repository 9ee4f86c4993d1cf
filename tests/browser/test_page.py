"""The page in a real Chromium, fed by a real worker: as a marketer sees, tabs through and hears it.

Debian's chromium is driven; where there is none the tests are skipped, but not in CI.
"""

import asyncio
import json
import os
import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from streamer.broker import EmbeddedKafka
from tests.support.stage import Stage, stage
from tests.support.web import SETTINGS, Api, open_shop, until

TOKEN = "a-token-of-the-browser-tests"
SHOWN_MS_MAX = 30_000
PHONE, DESK = {"width": 360, "height": 780}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def shop(
    kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Stage, Api]]:
    settings = {**SETTINGS, "http_read_token": TOKEN}
    with stage(kafka.bootstrap, tmp_path_factory.mktemp("page"), **settings) as corner:
        worker = corner.worker("one")
        worker.start()
        asyncio.run(worker.ready())
        api = Api(worker.port, TOKEN)
        customers = open_shop(corner)
        api.wait_until_settled(customers)
        assert corner.command("fit", "--from-kafka").returncode == 0
        until(lambda: api.get("overview")["predicted_customers"] >= customers)
        until(lambda: api.get("experiments").get("experiments"))
        yield corner, api


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        assert not os.environ.get("CI"), "CI must have chromium: see .ci/run"
        pytest.skip("there is no chromium: apt-get install chromium")
    expect.set_options(timeout=SHOWN_MS_MAX)
    with sync_playwright() as playwright:
        # Without a sandbox: it needs rights that containers and root do not have.
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


class Visit:
    """A visit of the page that notes what goes wrong and whom it asks."""

    def __init__(self, browser: Browser, address: str, token: str | None = TOKEN, **how: object):
        self.faults: list[str] = []
        self.hosts: set[str | None] = set()
        context = browser.new_context(**{"viewport": DESK, "locale": "en-GB", **how})  # type: ignore[arg-type] # by name
        if token is not None:
            script = f"sessionStorage.setItem('streamer-token', {json.dumps(token)})"
            context.add_init_script(script)
        self.page: Page = context.new_page()
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname))
        self.page.goto(address)

    def _note(self, message: object) -> None:
        if getattr(message, "type", "") in {"error", "warning"}:
            self.faults.append(getattr(message, "text", ""))

    def loaded(self) -> Page:
        """Wait for all that is shown to be there."""
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()
        expect(self.page.locator("table a").first).to_be_visible()
        return self.page

    def customer(self) -> Page:
        """Go to the first customer listed."""
        self.loaded().locator("table a").first.click()
        expect(self.page.get_by_role("heading", name="Next best action")).to_be_visible()
        return self.page


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_all_there_is_to_see_is_shown_and_nobody_else_is_asked(
    shop: tuple[Stage, Api], browser: Browser
) -> None:
    visit = Visit(browser, shop[1].address)
    page = visit.loaded()
    for heading in (
        "Risk bands over time", "Lifetime value", "Customers at risk", "Just now",
        "Revenue by month", "Cohort retention", "Is the forecast right?", "Segments",
        "Experiment free-shipping",
    ):  # fmt: skip
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
    told = shop[1].get("overview")
    expect(page.locator("dl")).to_contain_text(str(told["customers"]))
    assert page.locator("canvas").count() >= 3
    assert page.locator("td.cell").count() > 10
    visit.customer()
    for heading in ("How sure is that?", "If nothing more is bought", "Why", "Timeline"):
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
    assert visit.faults == []
    assert visit.hosts == {"127.0.0.1"}


def test_the_numbers_are_those_of_the_api(shop: tuple[Stage, Api], browser: Browser) -> None:
    page = Visit(browser, shop[1].address).loaded()
    first = shop[1].get("customers", risk_band="high", limit=1)["customers"][0]
    row = page.get_by_role("row").filter(has_text=first["customer_id"])
    expect(row).to_contain_text(f"{float(first['money_at_stake']):,.2f}")
    row.get_by_role("link").click()
    known = shop[1].get(f"customers/{first['customer_id']}")
    expect(page.get_by_role("heading", level=1)).to_have_text(first["customer_id"])
    for reason in known["churn_risk"]["reasons"]:
        expect(page.get_by_text(reason)).to_be_visible()


def test_no_barrier_that_axe_knows(shop: tuple[Stage, Api], browser: Browser, scheme: str) -> None:
    visit = Visit(browser, shop[1].address, color_scheme=scheme)
    found = {"overview": Axe().run(visit.loaded())}
    visit.page.get_by_text("As a table").first.click()
    found["customer"] = Axe().run(visit.customer())
    for view, results in found.items():
        barriers = [
            (one["id"], [node["html"] for node in one["nodes"]])
            for one in results.response["violations"]
        ]
        assert barriers == [], view


def test_the_keyboard_suffices(shop: tuple[Stage, Api], browser: Browser) -> None:
    page = Visit(browser, shop[1].address).loaded()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("searchbox")).to_be_focused()
    customer = shop[1].get("customers", limit=1)["customers"][0]["customer_id"]
    page.keyboard.type(customer)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(customer)
    expect(page.locator("main")).to_be_focused()
    assert page.title() == f"{customer} - streamer"
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="All customers")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("All customers")


def test_a_segment_chosen_shows_its_customers(shop: tuple[Stage, Api], browser: Browser) -> None:
    page = Visit(browser, shop[1].address).loaded()
    segments = {one["segment"]: one["customers"] for one in shop[1].get("segments")["segments"]}
    page.get_by_role("button", name="repeat buyers").click()
    expect(page.get_by_text(f"{segments['repeat_buyers']} customers, the most")).to_be_visible()
    expect(page.get_by_role("combobox", name="Segment")).to_have_value("repeat_buyers")
    rows = page.locator("section").filter(has_text="Customers at risk").locator("tbody tr")
    expect(rows).to_have_count(10)
    page.get_by_role("button", name="More").click()
    expect(rows).to_have_count(20)


@pytest.mark.parametrize("view", ["overview", "customer"])
def test_a_phone_is_wide_enough(shop: tuple[Stage, Api], browser: Browser, view: str) -> None:
    visit = Visit(browser, shop[1].address, viewport=PHONE, has_touch=True)
    page = visit.customer() if view == "customer" else visit.loaded()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for canvas in page.locator("canvas").all():
        box = canvas.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= PHONE["width"]


def test_light_and_dark_are_as_the_reader_wants_it(
    shop: tuple[Stage, Api], browser: Browser, scheme: str
) -> None:
    page = Visit(browser, shop[1].address, color_scheme=scheme).loaded()
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(map(int, colour.removeprefix("rgb(").rstrip(")").split(","))) / 3
    assert (brightness > 128) == (scheme == "light")


def test_what_happens_is_shown_as_it_happens(shop: tuple[Stage, Api], browser: Browser) -> None:
    corner, api = shop
    page = Visit(browser, api.address).loaded()
    feed = page.locator(".feed")
    for number in range(30):  # the page may still be finding the topics' ends
        event = {
            "event_id": f"seen-{number}", "type": "purchase", "customer_id": "seen-live",
            "order_id": f"seen-{number}", "occurred_at": "2026-02-01T00:00:00Z", "amount": 10,
            "currency": "USD",
        }  # fmt: skip
        assert corner.command("send", "-", stdin=json.dumps(event)).returncode == 0
        if feed.get_by_text("seen-live").count():
            break
    expect(feed.get_by_text("seen-live").first).to_be_visible()


def test_an_id_is_shown_as_text_whatever_it_holds(
    shop: tuple[Stage, Api], browser: Browser
) -> None:
    corner, api = shop
    customer = "<img src=x onerror=alert(1)>/?#é"
    event = {
        "event_id": "evil", "type": "purchase", "customer_id": customer, "order_id": "evil",
        "occurred_at": "2026-02-01T00:00:00Z", "amount": 10, "currency": "USD",
    }  # fmt: skip
    assert corner.command("send", "-", stdin=json.dumps(event)).returncode == 0
    visit = Visit(browser, api.address)
    page = visit.loaded()
    page.get_by_role("searchbox").fill(customer)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(customer)
    assert page.locator("main img").count() == 0
    assert visit.faults == []


def test_the_token_is_asked_for(shop: tuple[Stage, Api], browser: Browser) -> None:
    visit = Visit(browser, shop[1].address, token=None)
    page = visit.page
    expect(page.get_by_role("dialog", name="A token, please")).to_be_visible()
    page.get_by_role("textbox", name="Token").fill("some other token of no use")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not known")
    page.get_by_role("textbox", name="Token").fill(TOKEN)
    page.keyboard.press("Enter")
    visit.loaded()
    assert TOKEN not in page.url


def test_without_a_token_nothing_is_told_of_anybody(shop: tuple[Stage, Api]) -> None:
    stranger = Api(int(shop[1].address.rpartition(":")[2]))
    for path in ("overview", "customers", "customers/c0000001", "segments", "openapi.json"):
        answer = stranger.get(path)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
