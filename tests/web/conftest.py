"""A browser for each module, and servers for it to talk to."""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from streamer.weights.manifest import require
from tests.end_to_end.conftest import (  # noqa: F401 – fixtures, and the check of the servers' logs
    _clean_logs,
    launch,
    pytest_runtest_makereport,
    standin,
    transcriber,
)
from tests.web.page import Page
from tests.web.tools import chromium
from tools.harness.process import TIMEOUT_S

Open = Callable[..., Page]

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Two tabs at once: the one behind must not be slowed down.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
)


# One for each module: Playwright's event loop must not be there when others run theirs.
@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    """Chromium, whose microphone hears `two_cities.wav`, over and over."""
    path = chromium()
    recording = require("moonshine-tiny-en") / "two_cities.wav"
    microphone = f"--use-file-for-fake-audio-capture={recording}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=[*FLAGS, microphone], chromium_sandbox=False
        )
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Generator[BrowserContext]:
    """A person with a browser, who lets pages use the microphone."""
    with browser.new_context(ignore_https_errors=True, permissions=["microphone"]) as context:
        context.set_default_timeout(TIMEOUT_S * 1000)
        yield context


@pytest.fixture
def open_page(context: BrowserContext) -> Generator[Open]:
    """Open the page of a server. At the end, nothing unexpected is in the console."""
    pages: list[Page] = []

    def open_page(address: str, **options: Any) -> Page:
        page = Page(context.new_page(), address, **options)
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    """Where files go."""
    return tmp_path
