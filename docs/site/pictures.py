"""Takes the documentation's pictures of a running worker's page: python -m docs.site.pictures URL.

Each screen, wide and on a phone, light and dark. Debian's chromium is driven, as by the tests.
"""

import shutil
import sys
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright

PICTURES = Path(__file__).parents[1] / "pictures"
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 1700}
SETTLED_MS = 3_000
"""For charts to be drawn and for news to have come."""


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
    page.wait_for_timeout(SETTLED_MS)
    page.evaluate("window.scrollTo(0, 0)")
    taken = page.screenshot(full_page=screen.viewport is DESK)
    picture = Image.open(BytesIO(taken)).convert("RGB").quantize(method=Image.Quantize.MAXCOVERAGE)
    picture.save(PICTURES / f"{screen.name}.png", optimize=True)
    context.close()


def main(address: str) -> None:
    """Take all of them."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for screen in SCREENS:
            take(browser, address, screen)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
