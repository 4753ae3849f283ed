"""The site that `make docs` builds, in a browser and without one."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import TimeoutError as TimedOut

from tests.needed import missing
from tests.web.tools import chromium

ROOT = Path(__file__).parents[2]
MKDOCS = ROOT / "build/site-tools/bin/mkdocs"
CONFIG = "tools/docs/site/mkdocs.yml"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not MKDOCS.exists():
        missing("the packages of the site are not installed: make docs")
    folder = tmp_path_factory.mktemp("site")
    run = subprocess.run(
        [MKDOCS, "build", "--strict", "-f", CONFIG, "-d", folder],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "excluded" not in run.stderr
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, chromium_sandbox=False)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A phone."""
    with browser.new_page(viewport={"width": 390, "height": 844}) as page:
        page.set_default_timeout(20_000)
        yield page


def chapters(site: Path) -> list[Path]:
    return [path for path in site.rglob("*.html") if "source" not in path.relative_to(site).parts]


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    outside = re.compile(
        r"<(?:script|img|iframe|audio|video|source)\b[^>]*\bsrc=[\"']?(?:https?:)?//[^>]*>"
        r"|<link\b[^>]*\bhref=[\"']?(?:https?:)?//[^>]*>"
    )
    pages = list(site.rglob("*.html"))
    assert len(pages) > 40
    assert [found[0] for path in pages for found in outside.finditer(path.read_text())] == []
    styles = list(site.rglob("*.css"))
    loads = re.compile(r"(?:url\(|@import\s*)[\"']?(?:https?:)?//")
    assert [path.name for path in styles if loads.search(path.read_text())] == []


def test_every_link_leads_to_a_file_and_a_place_in_it(site: Path) -> None:
    texts = {path: path.read_text() for path in site.rglob("*.html") if path.name != "404.html"}
    places = {path: set(re.findall(r"\bid=\"([^\"]+)\"", text)) for path, text in texts.items()}
    broken = []
    for path, text in texts.items():
        for link in re.findall(r"<a\b[^>]*\bhref=\"([^\"]*)\"", text):
            address, _, anchor = link.partition("#")
            if re.match(r"[a-z]+:", address):
                continue
            target = (path.parent / unquote(address)).resolve() if address else path
            if target.is_dir():
                target /= "index.html"
            anchors = places.get(target, {unquote(anchor)})
            if not target.is_file() or (anchor and unquote(anchor) not in anchors):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []


def test_every_page_of_the_documentation_is_in_it(site: Path) -> None:
    for path in (ROOT / "docs").rglob("*.md"):
        name = str(path.relative_to(ROOT / "docs")).replace("README.md", "index.md")
        assert (site / name).with_suffix(".html").is_file(), path


def test_pages_fit_a_phone_and_load_nothing_else(site: Path, page: Page) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    wide = []
    for path in chapters(site):
        page.goto(path.as_uri())
        try:  # a script puts wide tables into frames of their own after the page is there
            page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")
        except TimedOut:
            wide.append(path.name)
    assert wide == []
    assert requests
    assert [url for url in requests if not url.startswith(("file:", "data:", "about:"))] == []


def test_search_works_when_the_site_is_opened_from_its_folder(site: Path, page: Page) -> None:
    page.goto((site / "index.html").as_uri())
    page.locator("label[for=__search].md-header__button").click()
    page.locator("input.md-search__input").press_sequentially("min_silence_ms")
    found = page.locator(".md-search-result__link").first
    found.wait_for()
    assert (found.get_attribute("href") or "").startswith("file:")


def test_the_reader_chooses_between_light_and_dark(site: Path, page: Page) -> None:
    page.goto((site / "index.html").as_uri())
    scheme = "document.body.dataset.mdColorScheme"
    before = page.evaluate(scheme)
    page.locator("label[title=Dark]:visible").click()
    assert page.evaluate(scheme) != before
