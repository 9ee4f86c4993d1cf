"""The documentation's site: built strictly, whole, and read in Chromium without asking anybody."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from playwright.sync_api import sync_playwright

from docs.site.__main__ import assemble
from streamer import metrics
from streamer.cli import COMMANDS
from streamer.settings import Settings
from streamer.web.site import ROUTES
from streamer.webhooks import metrics as webhooks
from tests.support.shell import ROOT

AIMS = re.compile(r'\s(?:src|href)="([^"]+)"')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does."""
    folder = tmp_path_factory.mktemp("docs")
    shutil.copy(ROOT / "zensical.toml", folder)
    assemble(folder / "build" / "docs")
    command: list[str | Path] = [Path(sys.executable).with_name("zensical"), "build", "--strict"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "build" / "site"


def test_whatever_a_page_links_to_is_there(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        if page.name == "404.html":  # its links are the server's
            continue
        for aim in AIMS.findall(page.read_text(encoding="utf-8")):
            path = unquote(urldefrag(aim).url)
            if path and not urlsplit(aim).scheme:
                assert (page.parent / path).exists(), f"{page.name}: {aim}"


def test_every_page_is_in_the_navigation(site: Path) -> None:
    named = set(re.findall(r'"([^"]+\.md)"', (ROOT / "zensical.toml").read_text()))
    sources = site.parent / "docs"
    assert named == {page.relative_to(sources).as_posix() for page in sources.rglob("*.md")}


def test_the_reference_is_whole(site: Path) -> None:
    def text(page: str) -> str:
        return (site.parent / "docs" / "reference" / f"{page}.md").read_text(encoding="utf-8")

    assert all(f"## `streamer {name}`" in text("commands") for name in COMMANDS)
    assert all(f"`STREAMER_{name.upper()}`" in text("settings") for name in Settings.model_fields)
    for registry in (metrics.REGISTRY, webhooks.REGISTRY):
        assert all(f"`{family.name}" in text("metrics") for family in registry.collect())
    assert all(f"`{route.method} {route.path}`" in text("http") for route in ROUTES)
    for field in ("predicted_clv", "win_back_by", "checkout_seconds", "revision"):
        assert f"| `{field}` |" in text("wire")


def test_it_is_read_without_asking_anybody(site: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        assert not os.environ.get("CI"), "CI must have chromium: see .ci/run"
        pytest.skip("there is no chromium: apt-get install chromium")
    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        for name in ("index.html", "models.html", "reference/commands.html", "rows/v3.html"):
            page.goto((site / name).as_uri())
            page.wait_for_load_state("networkidle")
            assert page.locator("h1").first.is_visible()
        browser.close()
    assert asked
    assert {urlsplit(url).scheme for url in asked} <= {"file", "data", "blob"}
