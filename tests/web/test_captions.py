"""The captions page of the documentation, on an origin of its own, in a real browser."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.end_to_end.conftest import Launch
from tests.web.tools import axe
from tools.harness.process import Server, wait_until

ROOT = Path(__file__).parents[2]
EXAMPLE = "docs/examples/captions/"


@pytest.fixture
def origin(tmp_path: Path) -> Generator[str]:
    """Of the repository's files, served as the page says."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
    log = tmp_path / "http.log"
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
    try:
        wait_until(lambda: "port" in log.read_text(), "the files are served")
        found = re.search(r"port (\d+)", log.read_text())
        assert found is not None
        yield f"http://localhost:{found[1]}"
    finally:
        process.terminate()
        process.wait()


ALARM = """async () => {
    const context = new AudioContext();
    const recording = await fetch('/models/moonshine-tiny-en/beckett.wav');
    const buffer = await context.decodeAudioData(await recording.arrayBuffer());
    const target = context.createMediaStreamDestination();
    const volume = new GainNode(context, { gain: 0.3 });
    const tone = new OscillatorNode(context, { frequency: 3000 });
    tone.connect(volume).connect(target);
    tone.start();
    window.speak = () => {
        volume.gain.value = 0;
        const speech = new AudioBufferSourceNode(context, { buffer, loop: true });
        speech.connect(target);
        speech.start();
    };
    navigator.mediaDevices.getUserMedia = async () => target.stream;
}"""
"""Replaces the microphone by an alarm tone, until `speak` is called."""

Captions = Callable[[Server], Page]


@pytest.fixture
def captions(context: BrowserContext, origin: str) -> Captions:
    """Open the page for a server."""

    def open_captions(server: Server) -> Page:
        tab = context.new_page()
        tab.goto(f"{origin}/{EXAMPLE}?server=http://127.0.0.1:{server.port}")
        return tab

    return open_captions


def allowing(origin: str) -> dict[str, str]:
    """The setting, in the words of the page."""
    page = (ROOT / EXAMPLE / "index.html").read_text()
    setting = re.search(r"(STREAMER_ACCESS__ORIGINS)='(.*)' make run", page)
    assert setting is not None
    assert "http://localhost:8000" in json.loads(setting[2])
    return {setting[1]: setting[2].replace("http://localhost:8000", origin)}


SIZES = ((1366, 650), (390, 844), (1920, 1080))
"""Of windows, in pixels."""


def nobody_is_kept_out(tab: Page) -> None:
    """Assert that axe finds nothing, and that nothing is wider than the window."""
    for width, height in SIZES:
        tab.set_viewport_size({"width": width, "height": height})
        result = tab.evaluate(f"{axe()}; axe.run()")
        assert [one["id"] for one in result["violations"]] == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert tab.locator("button").is_visible()


def test_what_is_said_appears_and_settles(launch: Launch, captions: Captions, origin: str) -> None:
    server = launch({"vad": {"min_silence_ms": 200}}, env=allowing(origin))
    tab = captions(server)
    button, final, interim = tab.locator("button"), tab.locator("#final"), tab.locator("#interim")
    size = "element => parseFloat(getComputedStyle(element).fontSize)"
    assert final.evaluate(size) >= 40
    nobody_is_kept_out(tab)
    for _ in range(2):  # it starts again after a stop
        button.click()
        expect(button).to_have_text("Stop")
        expect(interim).to_contain_text(re.compile("times", re.IGNORECASE))
        expect(final).to_contain_text("best of times")
        nobody_is_kept_out(tab)
        button.click()
        expect(button).to_have_text("Start")
        expect(tab.locator("#problem")).to_be_empty()


def test_a_refused_page_says_what_to_do_and_the_server_says_with_what(
    launch: Launch, captions: Captions, origin: str
) -> None:
    server = launch({"model": {"type": "standin"}})
    tab = captions(server)
    tab.locator("button").click()
    problem = tab.locator("#problem")
    expect(problem).to_contain_text(f"whose origin {origin} must then be added")
    expect(tab.locator("button")).to_have_text("Start")
    expect(tab.locator("button")).to_be_enabled()
    nobody_is_kept_out(tab)
    values = re.findall(r"set access.origins to (\[.*?\])", server.log())
    assert len(values) == 1
    value = values[0].replace("\\", "")
    assert json.loads(value) == [f"http://127.0.0.1:{server.port}", origin]
    server.stop()
    allowed = launch({"model": {"type": "standin"}}, env={"STREAMER_ACCESS__ORIGINS": value})
    tab = captions(allowed)
    tab.locator("button").click()
    expect(tab.locator("button")).to_have_text("Stop")


def test_a_lost_server_is_said_and_the_captions_go_on(
    launch: Launch, captions: Captions, origin: str
) -> None:
    server = launch({"model": {"type": "standin"}}, env=allowing(origin))
    port = server.port
    tab = captions(server)
    tab.locator("button").click()
    expect(tab.locator("button")).to_have_text("Stop")
    expect(tab.locator("button")).to_be_enabled()  # the stream has started
    server.process.kill()
    expect(tab.locator("#problem")).to_contain_text("Reconnecting")
    server.process.wait()
    launch({"model": {"type": "standin"}}, "--port", str(port), env=allowing(origin))
    expect(tab.locator("#problem")).to_be_empty()
    tab.locator("button").click()
    expect(tab.locator("button")).to_have_text("Start")


def test_a_warning_is_shown_until_somebody_speaks(
    launch: Launch, captions: Captions, origin: str
) -> None:
    tab = captions(launch({"model": {"type": "standin"}}, env=allowing(origin)))
    tab.evaluate(ALARM)
    tab.locator("button").click()
    expect(tab.locator("#problem")).to_contain_text("no speech was found")
    nobody_is_kept_out(tab)
    tab.evaluate("speak()")
    expect(tab.locator("#problem")).to_be_empty()
