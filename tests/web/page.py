"""The page, as a person uses it."""

import re
from pathlib import Path
from typing import Any

from playwright import sync_api
from playwright.sync_api import expect

from tests.web.tools import axe
from tools.harness.process import TIMEOUT_S, Server

expect.set_options(timeout=TIMEOUT_S * 1000)


def address(server: Server) -> str:
    """Of a server's page."""
    return f"http://127.0.0.1:{server.port}/"


class Page:
    """A tab with the page of a server.

    Args:
        tab: An empty one.
        address: Of the page.
        allowed: What may be in the browser's console, besides nothing.
    """

    def __init__(self, tab: sync_api.Page, address: str, allowed: str = "^$") -> None:
        self.tab = tab
        self._allowed = re.compile(allowed)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        tab.on("console", self._on_console)
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        tab.on("request", lambda request: self.requests.append(request.url))
        tab.goto(address)
        self.expect_state("Ready")

    def close(self) -> None:
        """Close the tab; nothing unexpected was in its console."""
        self.tab.close()
        complaints = [text for text in self.complaints if not self._allowed.search(text)]
        assert complaints == [], complaints

    def _on_console(self, message: sync_api.ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    # What is there

    @property
    def button(self) -> sync_api.Locator:
        return self.tab.locator("#start")

    @property
    def notices(self) -> sync_api.Locator:
        return self.tab.locator(".notice")

    def entries(self, state: str = "final", column: int = 0) -> sync_api.Locator:
        """The segments in a state, of a channel."""
        lane = self.tab.locator(".column").nth(column)
        return lane.locator(f'.entry[data-state="{state}"]')

    def text(self, column: int = 0) -> str:
        """What the finals say."""
        return " ".join(self.lines(self.entries(column=column)))

    def lines(self, entries: sync_api.Locator) -> list[str]:
        """The texts of some segments, without what is there for screen readers only."""
        found: list[str] = entries.locator(".said").evaluate_all(
            """(lines) => lines.map((line) => {
                const copy = line.cloneNode(true);
                for (const hidden of copy.querySelectorAll('.visually-hidden')) hidden.remove();
                return copy.textContent;
            })"""
        )
        return found

    def events(self) -> list[str]:
        """The event log, as JSON."""
        return self.tab.locator("#log code").all_text_contents()

    def sizes_of_messages(self) -> list[int]:
        """Of the audio that is sent from now on, in bytes; the list grows."""
        sizes: list[int] = []

        def on_frame(data: str | bytes) -> None:
            if isinstance(data, bytes):
                sizes.append(len(data))

        self.tab.on("websocket", lambda opened: opened.on("framesent", on_frame))
        return sizes

    def expect_state(self, text: str) -> None:
        expect(self.tab.locator("#state-text")).to_contain_text(text)

    @property
    def takes(self) -> sync_api.Locator:
        """The takes, oldest first."""
        return self.tab.locator(".take")

    def names(self) -> list[str]:
        """Of the takes."""
        return [name.input_value() for name in self.takes.locator(".take-name").all()]

    def in_view(self, element: sync_api.Locator) -> bool:
        """Whether all of an element is inside of the window, and nothing lies above its middle."""
        return bool(
            element.evaluate(
                """(element) => {
                    const { top, bottom, left, right } = element.getBoundingClientRect();
                    const fits = top >= 0 && bottom <= innerHeight + 0.5 && bottom > top;
                    const above = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
                    const isFree = element.contains(above) || above?.contains(element);
                    return fits && left >= 0 && right <= innerWidth && isFree;
                }"""
            )
        )

    def assert_accessible(self) -> None:
        """axe finds nothing, and nothing is wider than the window."""
        # Colours change in transitions, and axe would measure one in between. Of what is folded,
        # Chromium lists transitions that have ended.
        self.tab.wait_for_function(
            """() => !document.getAnimations().some(
                (one) => one instanceof CSSTransition && one.playState !== 'finished')"""
        )
        result = self.tab.evaluate(f"{axe()}; axe.run()")
        assert len(result["passes"]) > 10
        found = {str(one["id"]): str(one["nodes"])[:500] for one in result["violations"]}
        assert found == {}, found
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert self.tab.evaluate(overflow) == 0

    # What is done

    def choose(self, group: str, value: str) -> None:
        choice = self.tab.locator(f'input[name="{group}"][value="{value}"]')
        if group == "endpoint":
            self.open_advanced()
        choice.check()

    def open_advanced(self) -> None:
        """Show the technical settings."""
        advanced = self.tab.locator("#advanced")
        if advanced.get_attribute("open") is None:
            advanced.locator("summary").click()

    def give(self, name: str, wav: bytes) -> None:
        """Choose a file."""
        self.choose("source", "file")
        file: Any = {"name": name, "mimeType": "audio/wav", "buffer": wav}
        self.tab.locator("#file").set_input_files(file)

    def end_segments_sooner(self) -> None:
        """Let a short pause end a segment, so that the first one is not long in coming."""
        self.open_advanced()
        self.tab.get_by_label("Silence that ends a segment").fill("200")

    def stream_at_once(self, name: str, wav: bytes, endpoint: str = "simple") -> None:
        """Stream a file, as fast as possible, to its end."""
        self.choose("endpoint", endpoint)
        self.give(name, wav)
        self.tab.locator("#real-time").uncheck()
        self.button.click()
        self.expect_state("Ready")

    def start(self) -> None:
        self.button.click()
        self.expect_state("Streaming")

    def stop(self) -> None:
        self.button.click()
        self.expect_state("Ready")

    def export(self, kind: str, folder: Path) -> str:
        """Press an export button; returns what the file holds."""
        with self.tab.expect_download() as download:
            self.tab.locator(f'[data-export="{kind}"]').click()
        path = folder / download.value.suggested_filename
        download.value.save_as(path)
        return path.read_text(encoding="utf-8")
