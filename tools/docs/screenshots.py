"""Take the pictures of the page at work that the documentation shows: `make screenshots`.

With an argument, they go into that folder instead of `docs/pictures`. Needs Debian's `chromium`,
and looks best with `fonts-inter`.
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
import soxr
from playwright.sync_api import Browser, Page, expect, sync_playwright

from streamer.weights.manifest import require
from tools.command_line import tool_parser
from tools.harness.process import running_server

PICTURES = Path(__file__).parents[2] / "docs/pictures"
RECORDINGS = require("moonshine-tiny-en")
DESKTOP = {"width": 1200, "height": 800}
PHONE = {"width": 390, "height": 780}
WAIT_MS = 60_000


def main(folder: Path) -> int:
    """Take them all; returns the exit code."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("Chromium is not installed: apt-get install chromium fonts-inter")
        return 1
    expect.set_options(timeout=WAIT_MS)
    folder.mkdir(parents=True, exist_ok=True)
    microphone = f"--use-file-for-fake-audio-capture={RECORDINGS / 'two_cities.wav'}"
    flags = ["--disable-gpu", "--use-fake-device-for-media-stream", microphone]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=flags, chromium_sandbox=False
        )
        with serving({}) as address:
            with opened(browser, address, DESKTOP) as page:
                speak(page, "best of times", sentences=3)
                take(page, folder / "desktop.png")
            with opened(browser, address, PHONE) as page:
                speak(page, "best of times", sentences=2)
                take(page, folder / "phone.png")
            with opened(browser, address, DESKTOP, dark=True) as page:
                play_two_channels(page)
                take(page, folder / "dark.png")
            with opened(browser, address, DESKTOP) as page:
                play_words(page)
                take(page, folder / "words.png")
        frames = {"model": {"type": "frames"}, "simple": {"chunk_seconds": 0.5}}
        with serving(frames) as address, opened(browser, address, DESKTOP) as page:
            play_scores(page)
            take(page, folder / "scores.png")
        browser.close()
    return 0


@contextmanager
def serving(config: dict[str, object]) -> Iterator[str]:
    """The address of a server, which ends with the block."""
    with running_server(config) as server:
        yield f"http://127.0.0.1:{server.port}"


@contextmanager
def opened(
    browser: Browser, address: str, viewport: dict[str, int], *, dark: bool = False
) -> Iterator[Page]:
    """The page, ready to stream."""
    with browser.new_context(
        viewport={"width": viewport["width"], "height": viewport["height"]},
        device_scale_factor=2 if viewport is PHONE else 1.5,
        color_scheme="dark" if dark else "light",
        permissions=["microphone"],
    ) as context:
        page = context.new_page()
        page.goto(address)
        expect(page.locator("#state-text")).to_have_text("Ready")
        yield page


def speak(page: Page, first: str, sentences: int) -> None:
    """Stream from the microphone until some sentences are final and another is under way."""
    page.locator("#advanced summary").click()
    page.get_by_label("Silence that ends a segment").fill("300")
    page.locator("#advanced summary").click()
    page.locator("#start").click()
    expect(page.locator(".entry[data-state=final]").first).to_contain_text(first)
    expect(page.locator(".entry[data-state=final]")).to_have_count(sentences)
    expect(page.locator(".entry[data-state=speaking] .said").last).to_contain_text(
        re.compile(r"\w+ \w+ \w+")
    )


def play_two_channels(page: Page) -> None:
    """Two speakers, one on each side."""
    sides = []
    for name in ("two_cities.wav", "beckett.wav"):
        samples, rate = soundfile.read(RECORDINGS / name)
        sides.append(soxr.resample(samples, rate, 16_000)[: 16_000 * 9])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "conversation.wav"
        soundfile.write(path, np.stack(sides, axis=1), 16_000)
        choose(page, "file")
        page.locator("#file").set_input_files(path)
        page.locator("#start").click()
        expect(page.locator(".column").nth(1).locator("[data-state=final]")).to_have_count(3)


def play_words(page: Page) -> None:
    """Speech in noise, of which some words are uncertain; one of them is played."""
    samples, rate = soundfile.read(RECORDINGS / "two_cities.wav")
    samples = samples[: rate * 20]
    noise = np.random.default_rng(1).normal(size=len(samples))
    mixed = samples + noise * np.sqrt(np.mean(samples**2))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "street.wav"
        soundfile.write(path, 0.9 * mixed / np.abs(mixed).max(), rate)
        choose(page, "file")
        page.locator("#file").set_input_files(path)
        page.locator("#real-time").uncheck()
        page.locator("#start").click()
        expect(page.locator("#state-text")).to_have_text("Ready")
    uncertain = page.locator("[data-certainty]").nth(1)
    uncertain.scroll_into_view_if_needed()
    uncertain.click()
    expect(uncertain).to_have_attribute("aria-current", "true")


def play_scores(page: Page) -> None:
    """The sample, through a model that gives a probability for each 32 ms."""
    choose(page, "sample")
    page.locator("#advanced summary").click()
    page.locator("input[value=simple]").check()
    page.locator("#advanced summary").click()
    page.locator("#start").click()
    expect(page.locator("#n-audio")).to_contain_text(re.compile(r"0:14"))


def choose(page: Page, source: str) -> None:
    """Choose where the audio comes from."""
    page.locator(f"input[name=source][value={source}]").check()


def take(page: Page, path: Path) -> None:
    """Take the picture."""
    page.screenshot(path=path)
    print(path.name, flush=True)


if __name__ == "__main__":
    parser = tool_parser("tools.docs.screenshots", __doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=PICTURES, help="for the pictures")
    sys.exit(main(parser.parse_args().folder))
