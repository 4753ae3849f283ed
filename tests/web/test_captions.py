"""The pages of the documentation, on an origin of their own, in a real browser."""

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


def allowing(origin: str, example: str = EXAMPLE) -> dict[str, str]:
    """The setting, in the words of the page."""
    page = (ROOT / example / "index.html").read_text()
    setting = re.search(r"(STREAMER_ACCESS__ORIGINS)='(.*)' (?:make run|\\\n)", page)
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


RECORDED = """() => {
    window.tracks = [];
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => {
        const media = await open(wanted);
        window.tracks.push(...media.getTracks());
        return media;
    };
}"""
"""Keeps the tracks of every microphone that is opened."""


def run_the_example(tab: Page, server: Server) -> list[str]:
    """Run the first example of the client's README in a tab; returns its uncaught errors."""
    readme = (ROOT / "streamer/web/streamer-client/README.md").read_text()
    example = re.findall(r"```js\n(import .*?)```", readme, re.DOTALL)[0]
    folder = "/streamer/web/streamer-client/"
    example = example.replace("'./", f"'{folder}").replace(
        "'/api", f"'http://127.0.0.1:{server.port}/api"
    )
    example = example.replace("{ interimResults", "{ reconnect: false, interimResults")
    failures: list[str] = []
    tab.on("pageerror", lambda error: failures.append(str(error)))
    tab.evaluate(RECORDED)
    tab.evaluate("() => { window.show = window.settle = () => {}; }")
    tab.evaluate("() => { window.reports = []; window.report = (text) => reports.push(text); }")
    tab.evaluate(
        "code => document.head.append(Object.assign(document.createElement('script'), "
        "{ type: 'module', textContent: code }))",
        example + "window.example = { client, stop };",
    )
    return failures


CLOSED = "window.tracks.length && tracks.every((track) => track.readyState === 'ended')"


def test_the_example_of_the_client_closes_the_microphone_when_it_cannot_start(
    launch: Launch, captions: Captions
) -> None:
    server = launch({"model": {"type": "standin"}})  # it refuses the page's origin
    tab = captions(server)
    failures = run_the_example(tab, server)
    tab.wait_for_function(CLOSED)
    assert len(failures) == 1
    assert "whose origin" in failures[0]


def test_the_example_of_the_client_closes_the_microphone_when_the_stream_ends_by_itself(
    launch: Launch, captions: Captions, origin: str
) -> None:
    server = launch({"model": {"type": "standin"}}, env=allowing(origin))
    tab = captions(server)
    failures = run_the_example(tab, server)
    tab.wait_for_function("window.example?.client.position > 0.2")
    server.process.kill()
    tab.wait_for_function(CLOSED)
    tab.evaluate("example.stop()")
    assert tab.evaluate("reports.length") == 1
    assert failures == []


def test_the_example_of_the_client_stops_when_somebody_asks(
    launch: Launch, captions: Captions, origin: str
) -> None:
    server = launch({"model": {"type": "standin"}}, env=allowing(origin))
    tab = captions(server)
    failures = run_the_example(tab, server)
    tab.wait_for_function("window.example?.client.position > 0.2")
    tab.evaluate("example.stop()")
    assert tab.evaluate(f"Boolean({CLOSED})")
    assert tab.evaluate("[example.client.state, ...reports]") == ["idle"]
    assert failures == []


@pytest.mark.parametrize("name", ["captions", "scores"])
def test_the_page_says_what_changes_with_another_address(
    launch: Launch, context: BrowserContext, origin: str, name: str
) -> None:
    """The server listens on another port, and so does the one of the page."""
    example = f"docs/examples/{name}/"
    comment = (ROOT / example / "index.html").read_text().partition("-->")[0]
    assert "STREAMER_SERVER__PORT" in comment
    query = re.search(rf"/{name}/(\?server=http://127\.0\.0\.1:)9000", comment)
    assert query is not None
    server = launch({"model": {"type": "standin"}}, env=allowing(origin, example))
    assert server.port not in (8080, 9000)
    tab = context.new_page()
    tab.goto(f"{origin}/{example}{query[1]}{server.port}")
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


@pytest.mark.parametrize("name", ["captions", "scores"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_address_without_http_is_said(
    context: BrowserContext, origin: str, name: str, host: str
) -> None:
    tab = context.new_page()
    tab.goto(f"{origin}/docs/examples/{name}/?server={host}:8080")
    expect(tab.locator("#problem")).to_contain_text(
        f"http:// is missing before the address {host}:8080/api/v1/"
    )
    nobody_is_kept_out(tab)


@pytest.mark.parametrize("path", ["", "/", "/api/v1/segmented", "/api/v1/simple/"])
@pytest.mark.parametrize("name", ["captions", "scores"])
def test_a_path_of_the_stream_in_the_address_of_the_server_is_left_out(
    context: BrowserContext, origin: str, name: str, path: str
) -> None:
    tab = context.new_page()
    tab.goto(f"{origin}/docs/examples/{name}/?server=http://127.0.0.1:9/speech{path}")
    with tab.expect_websocket() as opened:
        tab.locator("button").click()
    stream = {"captions": "segmented", "scores": "simple"}[name]
    assert opened.value.url == f"ws://127.0.0.1:9/speech/api/v1/{stream}"


@pytest.mark.parametrize("name", ["captions", "scores"])
def test_a_copy_that_does_not_find_the_client_says_so(
    context: BrowserContext, origin: str, name: str
) -> None:
    tab = context.new_page()
    tab.route("**/streamer-client.js", lambda route: route.fulfill(status=404))
    tab.goto(f"{origin}/docs/examples/{name}/")
    expect(tab.locator("#problem")).to_contain_text("Cannot load streamer-client.js: open this")
    nobody_is_kept_out(tab)


def test_captions_of_a_model_without_text_say_so(
    launch: Launch, captions: Captions, origin: str
) -> None:
    config = {"model": {"type": "standin"}, "vad": {"min_silence_ms": 200}}
    tab = captions(launch(config, env=allowing(origin)))
    tab.locator("button").click()
    expect(tab.locator("#problem")).to_contain_text("model gives no text. For scores, see")
    nobody_is_kept_out(tab)


SCORES = "docs/examples/scores/"


def test_scores_of_every_sound_are_shown_as_bars(
    launch: Launch, context: BrowserContext, origin: str
) -> None:
    config = "docs/examples/alarm/config.json"
    assert f"--config {config}\n" in (ROOT / SCORES / "index.html").read_text()
    server = launch(None, "--config", str(ROOT / config), env=allowing(origin, SCORES))
    tab = context.new_page()
    tab.goto(f"{origin}/{SCORES}?server=http://127.0.0.1:{server.port}")
    tab.evaluate(ALARM)
    nobody_is_kept_out(tab)
    button, meter = tab.locator("button"), tab.locator("meter")
    score = "Number(document.querySelector('meter')?.value ?? -1)"
    button.click()
    expect(button).to_have_text("Stop")
    tab.wait_for_function(f"{score} > 0.5")
    expect(tab.locator("label")).to_contain_text("alarm")
    expect(tab.locator("#time")).to_contain_text(" s to ")
    nobody_is_kept_out(tab)
    tab.evaluate("speak()")
    tab.wait_for_function(f"{score} >= 0 && {score} < 0.5")
    button.click()
    expect(button).to_have_text("Start")
    expect(meter).to_have_count(1)
    expect(tab.locator("#problem")).to_be_empty()


def test_other_fields_than_scores_are_shown_as_text(
    launch: Launch, context: BrowserContext, origin: str, tmp_path: Path
) -> None:
    (tmp_path / "mixed.py").write_text(
        "from streamer import Model\n\nclass Mixed(Model):\n    def infer(self, samples):\n"
        "        return {'level': -12.34567, 'best': 'dog', 'share': 0.25, 'top': [1, None]}\n"
    )
    config = {"model": {"type": "mixed:Mixed"}, "vad": {"engine": "webrtc"}}
    server = launch(config, env=allowing(origin, SCORES))
    tab = context.new_page()
    tab.goto(f"{origin}/{SCORES}?server=http://127.0.0.1:{server.port}")
    tab.locator("button").click()
    lines = tab.locator("label")
    expect(lines).to_have_text(["level -12.346", 'best "dog"', "share 0.25", "top [1,null]"])
    expect(tab.locator("meter")).to_have_count(1)


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


def test_a_policy_that_forbids_the_connection_is_named_at_once(
    context: BrowserContext, origin: str, standin: Server
) -> None:
    """A browser tells the page's document, and the socket nothing."""
    server = f"127.0.0.1:{standin.port}"
    policy = f"script-src 'self'; connect-src 'self' http://{server}"  # and not ws://
    tab = context.new_page()
    tab.route(
        f"{origin}/policy.html",
        lambda route: route.fulfill(
            body="<!doctype html>", headers={"Content-Security-Policy": policy}
        ),
    )
    tab.goto(f"{origin}/policy.html")
    found = tab.evaluate(
        """async (url) => {
            const module = '/streamer/web/streamer-client/streamer-client.js';
            const { StreamerClient } = await import(module);
            const client = new StreamerClient(url, { connectTimeoutMs: 60_000 });
            const started = client.start({ sample_rate: 16_000 });
            return started.then(() => '', (error) => `${error.code}: ${error.message}`);
        }""",
        f"ws://{server}/api/v1/segmented",
    )
    assert found.startswith("connection_failed: ")
    assert "Content-Security-Policy" in found
    assert f"add ws://{server} to its connect-src" in found
