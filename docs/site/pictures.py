"""Takes the documentation's pictures of a worker's page: python -m docs.site.pictures URL FILE.

Each screen, wide and on a phone, light and dark. Debian's chromium is driven, as by the tests.
Meanwhile the events of FILE are sent, JSON lines, so that something happens on the page.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright

PICTURES = Path(__file__).parents[1] / "pictures"
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 1700}
expect.set_options(timeout=60_000)  # a busy machine is slow

SETTLED_MS = 3_000
"""For charts to be drawn and for news to have come."""
AT_ONCE, PAUSE_SECONDS = 12, 0.6
"""Events of a request, and how long until the next."""
LEAD_SECONDS = 60
"""So long events are sent before the first picture: for a course of the risk bands."""


class Screen(NamedTuple):
    """What is shown, on what."""

    name: str
    viewport: Any
    scheme: Any
    customer: bool = False


SCREENS = (
    Screen("overview-light", DESK, "light"),
    Screen("overview-dark", DESK, "dark"),
    Screen("customer", DESK, "light", customer=True),
    Screen("customer-dark", DESK, "dark", customer=True),
    Screen("phone", PHONE, "light"),
    Screen("phone-customer", PHONE, "light", customer=True),
)


def take(browser: Browser, address: str, screen: Screen) -> None:
    """Take the picture of one screen, in as few colours as will do."""
    context = browser.new_context(
        viewport=screen.viewport, color_scheme=screen.scheme, locale="en-GB", timezone_id="UTC"
    )
    page = context.new_page()
    page.goto(address)
    expect(page.locator("table a").first).to_be_visible()
    if screen.customer:
        page.locator("table a").first.click()
        expect(page.get_by_role("heading", name="Next best action")).to_be_visible()
    else:
        expect(page.get_by_text("Waiting for the next change")).to_be_hidden()
    page.wait_for_timeout(SETTLED_MS)
    page.evaluate("window.scrollTo(0, 0)")
    taken = page.screenshot(full_page=screen.viewport is DESK)
    picture = Image.open(BytesIO(taken)).convert("RGB").quantize(method=Image.Quantize.MAXCOVERAGE)
    picture.save(PICTURES / f"{screen.name}.png", optimize=True)
    context.close()


@contextmanager
def sending(address: str, file: str) -> Iterator[None]:
    """Send the events of ``file``, evenly, while the block runs."""
    ended = Event()
    thread = Thread(target=_send, args=(address, Path(file).read_text().splitlines(), ended))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _send(address: str, lines: list[str], ended: Event) -> None:
    for at in range(0, len(lines), AT_ONCE):
        body = f'{{"events": [{",".join(lines[at : at + AT_ONCE])}]}}'.encode()
        asked = Request(f"{address}/v1/events", body, {"Content-Type": "application/json"})  # noqa: S310 - who takes pictures names the address
        with suppress(HTTPError):  # a busy Kafka: others follow
            urlopen(asked, timeout=60).close()  # noqa: S310 - as above
        if ended.wait(PAUSE_SECONDS):
            return


def main(address: str, file: str) -> None:
    """Take all of them."""
    with sending(address, file), sync_playwright() as playwright:
        Event().wait(LEAD_SECONDS)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for screen in SCREENS:
            take(browser, address, screen)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), sys.argv[2])
