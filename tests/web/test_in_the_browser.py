"""A real browser, a real server, a real model."""

import io
import json
import re
import signal
import socket
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from playwright.sync_api import BrowserContext, expect

from tests.end_to_end.conftest import Launch
from tests.web.audio_files import beckett_wav, wav
from tests.web.conftest import Open
from tests.web.page import Page, address
from tests.web.proxy import tls_proxy
from tools.harness.process import TIMEOUT_S, Server, wait_until
from tools.harness.sounds import BECKETT, TWO_CITIES, recording, word_error_rate

SLY = """
from streamer import Model


class Sly(Model):
    def infer(self, samples):
        label = "<img src=x onerror=alert(2)>"
        return {"label": label, "<b>loud</b>": 0.5, "level": -3.0, "max level": -4.0}
"""


def test_speak_and_words_appear(transcriber: Server, open_page: Open, tmp_path: Path) -> None:
    page = open_page(address(transcriber))
    page.end_segments_sooner()
    page.start()
    speaking = page.entries("speaking").locator(".said")
    expect(speaking.first).to_contain_text(re.compile(r"[Tt]imes"))
    expect(page.tab.locator(".lane").first).to_have_attribute("data-speech", "true")
    expect(page.entries().first).to_contain_text("best of times")
    expect(page.entries().first.locator(".latency")).to_contain_text(re.compile(r"\d m?s"))
    expect(page.tab.locator("#announcer")).to_contain_text("best of times")
    page.stop()
    assert any('"type":"interim"' in event for event in page.events())

    heard = page.text()
    assert word_error_rate(" ".join(TWO_CITIES.split()[: len(heard.split())]), heard) < 0.3
    subtitles = page.export("srt", tmp_path)
    cue = r"\d+\n\d\d:\d\d:\d\d,\d{3} --> \d\d:\d\d:\d\d,\d{3}\n(.{1,42}\n){1,2}\n"
    assert re.fullmatch(f"({cue})+", subtitles)
    assert "best of times" in subtitles
    times = re.findall(r"\d\d:\d\d:\d\d,\d{3}", subtitles)
    assert all(before <= after for before, after in pairwise(times))
    assert page.export("vtt", tmp_path).startswith("WEBVTT\n\n00:00:0")
    assert page.export("txt", tmp_path).split() == heard.split()
    exported = json.loads(page.export("json", tmp_path))
    texts = [segment["text"] for segment in exported["segments"]]
    assert texts == page.lines(page.entries())
    assert exported["trace_ids"] == [page.tab.locator("#trace-id").inner_text()]

    play = page.entries().first.locator(".play")
    play.click()
    expect(play).to_have_attribute("aria-pressed", "true")
    play.click()
    expect(play).to_have_attribute("aria-pressed", "false")
    assert all(url.startswith(address(transcriber)) for url in page.requests)


def test_a_microphone_is_heard_in_messages_of_some_tens_of_milliseconds(
    standin: Server, open_page: Open
) -> None:
    page = open_page(address(standin))
    sent = page.sizes_of_messages()
    page.start()
    expect(page.tab.locator("#n-audio")).to_contain_text(re.compile("0:0[1-9]"))
    page.stop()
    a_millisecond = 16 * 2
    *whole, last = sent
    assert 20 <= min(whole) / a_millisecond <= max(whole) / a_millisecond <= 40
    assert last <= max(whole)


def test_a_microphone_is_sent_compressed(
    transcriber: Server, open_page: Open, tmp_path: Path
) -> None:
    page = open_page(address(transcriber))
    sent = page.sizes_of_messages()
    page.end_segments_sooner()
    page.open_advanced()
    rate = page.tab.get_by_label("Sample rate sent")
    expect(rate).to_be_visible()
    page.tab.get_by_label("Send compressed audio").check()
    expect(rate).to_be_hidden()  # it would have no effect
    page.start()
    expect(page.entries().first).to_contain_text("best of times")
    expect(page.entries().first.locator(".latency")).to_contain_text(re.compile(r"\d m?s"))
    page.stop()
    seconds = json.loads(page.export("json", tmp_path))["segments"][-1]["end_time"]
    assert sum(sent) < seconds * 32_000 / 4, "PCM would be 32 kB a second"
    play = page.entries().first.locator(".play")
    play.click()
    expect(play).to_have_attribute("aria-pressed", "true")


def test_a_file_as_fast_as_the_server_takes_it(transcriber: Server, open_page: Open) -> None:
    page = open_page(address(transcriber))
    page.give("beckett.wav", beckett_wav())
    page.tab.locator("#real-time").uncheck()
    page.button.click()
    expect(page.entries().last).to_contain_text(re.compile("better", re.IGNORECASE))
    page.expect_state("Ready")
    assert word_error_rate(BECKETT, page.text()) < 0.3
    expect(page.tab.locator("#n-audio")).to_contain_text("0:10.")


def test_a_file_at_once_goes_in_large_messages_and_is_not_slowed_down(
    standin: Server, open_page: Open
) -> None:
    page = open_page(address(standin))
    sent = page.sizes_of_messages()
    page.give("long.wav", wav(np.zeros(200 * 16_000), sample_rate=16_000))
    page.tab.locator("#real-time").uncheck()
    page.button.click()
    expect(page.tab.locator("#n-audio")).to_contain_text("3:20.")
    page.expect_state("Ready")
    assert set(sent) == {4_000 * 2}
    assert not any('"warning"' in event for event in page.events())


def test_a_file_in_real_time_goes_in_small_messages(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    sent = page.sizes_of_messages()
    page.give("short.wav", wav(np.zeros(16_000), sample_rate=16_000))
    page.button.click()
    expect(page.tab.locator("#n-audio")).to_contain_text("0:01.")
    page.expect_state("Ready")
    assert set(sent) == {640 * 2}


def test_large_messages_of_many_channels_are_never_too_large(
    standin: Server, open_page: Open
) -> None:
    page = open_page(address(standin))
    sent = page.sizes_of_messages()
    page.open_advanced()
    page.tab.get_by_label("Sample rate sent").select_option("48000")
    page.give("wide.wav", wav(*[np.zeros(48_000)] * 8, sample_rate=48_000))
    page.tab.locator("#real-time").uncheck()
    page.button.click()
    expect(page.tab.locator("#n-audio")).to_contain_text("0:01.")
    page.expect_state("Ready")
    assert max(sent) == 65_536


def test_two_channels_have_a_lane_each(transcriber: Server, open_page: Open) -> None:
    cities, rate = recording("two_cities.wav")
    beckett, beckett_rate = recording("beckett.wav")
    page = open_page(address(transcriber))
    both = wav(
        cities[: 8 * rate], soxr.resample(beckett, beckett_rate, rate)[: 8 * rate], sample_rate=rate
    )
    page.give("both.wav", both)
    page.tab.locator("#real-time").uncheck()
    page.button.click()
    expect(page.tab.locator(".lane")).to_have_count(2)
    expect(page.entries(column=0).first).to_contain_text("best of times")
    expect(page.entries(column=1).first).to_contain_text("Ever tried")
    page.expect_state("Ready")


def test_settings_are_sent(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    page.open_advanced()
    page.tab.get_by_label("Silence that ends a segment").fill("900")
    page.tab.get_by_label("Interim results while speaking").uncheck()
    page.tab.get_by_label("Sample rate sent").select_option("48000")
    page.start()
    page.stop()
    started = next(json.loads(event) for event in page.events() if '"started"' in event)
    assert started["interim_results"] is False
    assert started["vad"]["min_silence_ms"] == 900


def starts_sent(page: Page) -> list[dict[str, Any]]:
    """The `start` requests that are sent from now on; the list grows."""
    starts: list[dict[str, Any]] = []

    def on_frame(data: str | bytes) -> None:
        if isinstance(data, str) and '"start"' in data:
            starts.append(json.loads(data))

    page.tab.on("websocket", lambda opened: opened.on("framesent", on_frame))
    return starts


def test_key_terms_are_sent_and_remembered(transcriber: Server, open_page: Open) -> None:
    page = open_page(address(transcriber))
    starts = starts_sent(page)
    page.start()
    page.stop()
    page.open_advanced()
    field = page.tab.get_by_label("Key terms")
    field.fill("Jean Valjean, Cosette\n\n Kubernetes,Cosette")
    page.assert_accessible()
    page.start()
    expect(field).to_be_disabled()
    page.stop()
    page.tab.reload()
    page.expect_state("Ready")
    expect(field).to_have_value("Jean Valjean, Cosette\n\n Kubernetes,Cosette")
    page.start()
    page.stop()
    terms = ["Jean Valjean", "Cosette", "Kubernetes"]
    assert [start.get("keyterms") for start in starts] == [None, terms, terms]
    expect(page.notices).to_have_count(0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("\n".join(f"term {n}" for n in range(101)), "These are 101 key terms; allowed: up to 100"),
        ("fine, " + "x" * 101, "has 101 characters; allowed: up to 100"),
        ("—", "has no letter and no digit"),
    ],
    ids=["many", "long", "signs"],
)
def test_key_terms_that_the_server_would_refuse_are_told(
    transcriber: Server, open_page: Open, text: str, says: str
) -> None:
    page = open_page(address(transcriber))
    starts = starts_sent(page)
    page.open_advanced()
    field = page.tab.get_by_label("Key terms")
    field.fill(text)
    expect(page.tab.locator("#keyterms-problem")).to_contain_text(says)
    page.assert_accessible()
    page.tab.locator("#advanced summary").click()
    page.button.click()
    expect(page.notices).to_contain_text(says)
    expect(field).to_be_focused()
    page.expect_state("Ready")
    assert starts == []
    field.fill("Cosette")
    expect(page.tab.locator("#keyterms-problem")).to_be_empty()
    page.start()
    page.stop()
    expect(page.notices).to_have_count(0)
    assert [start["keyterms"] for start in starts] == [["Cosette"]]


def test_there_is_no_field_for_key_terms_if_the_model_does_not_use_them(
    standin: Server, open_page: Open, context: BrowserContext
) -> None:
    page = open_page(address(standin))
    page.open_advanced()
    expect(page.tab.locator("#rate")).to_be_visible()
    expect(page.tab.get_by_label("Key terms")).to_be_hidden()
    # A server of an older version does not say whether it uses them.
    info = standin.get("/api/v1/info").json()
    for model in info["models"]:
        assert model.pop("keyterms") is False
    context.route("**/api/v1/info", lambda route: route.fulfill(json=info))
    page.tab.reload()
    page.expect_state("Ready")
    page.tab.get_by_label("Key terms").fill("Cosette")
    page.start()
    expect(page.notices).to_contain_text("This model does not use key terms.")
    page.stop()


def test_a_server_that_does_not_allow_its_own_page_is_told(launch: Launch, open_page: Open) -> None:
    access = {"origins": ["https://app.example.com"]}
    server = launch({"model": {"type": "standin"}, "access": access})
    page = open_page(address(server), allowed="403|WebSocket connection to")
    page.button.click()
    expect(page.notices).to_contain_text("The server runs, but it accepts no stream")
    origin = f"http://127.0.0.1:{server.port}"
    expect(page.notices).to_contain_text(f"add {origin} to access.origins")
    expect(page.notices).not_to_contain_text("does not run")
    expect(page.notices).not_to_contain_text("not Streamer")


def test_settings_of_the_server_between_two_steps_of_a_slider_stay(
    launch: Launch, open_page: Open
) -> None:
    vad = {"threshold": 0.33, "min_silence_ms": 333}
    page = open_page(address(launch({"model": {"type": "standin"}, "vad": vad})))
    page.open_advanced()
    sliders = page.tab.locator("#vad")
    expect(sliders).to_contain_text("333 ms")
    page.tab.get_by_label("Silence that ends a segment").fill("900")
    expect(sliders).to_contain_text("900 ms")
    page.tab.locator("#vad-reset").click()
    expect(sliders).to_contain_text("333 ms")
    page.start()
    page.stop()
    started = next(json.loads(event) for event in page.events() if '"started"' in event)
    assert {name: started["vad"][name] for name in vad} == vad


def test_what_a_model_says_is_never_markup(launch: Launch, open_page: Open, tmp_path: Path) -> None:
    (tmp_path / "sly.py").write_text(SLY)
    config = {"model": {"type": "sly:Sly"}, "vad": {"engine": "webrtc"}}
    (tmp_path / "streamer.json").write_text(json.dumps(config))
    server = launch(None, "--config", str(tmp_path / "streamer.json"))
    page = open_page(address(server))
    page.give("<img src=x onerror=alert(1)>.wav", beckett_wav())
    page.tab.locator("#real-time").uncheck()
    page.button.click()
    expect(page.entries().first).to_contain_text("label <img src=x onerror=alert(2)>")
    expect(page.tab.locator(".legend").first).to_contain_text("<b>loud</b>")
    expect(page.tab.locator("#announcer")).to_contain_text("label <img src=x onerror=alert(2)>")
    page.expect_state("Ready")
    assert page.tab.locator("img").count() == 0
    assert page.tab.locator("li b b").count() == 0


def test_stopping_while_the_connection_is_made_is_no_error(
    standin: Server, open_page: Open
) -> None:
    page = open_page(address(standin), allowed="closed before the connection is established")
    # A connection that is neither made nor refused.
    page.tab.evaluate("""() => {
        const Real = WebSocket;
        window.WebSocket = class extends EventTarget {
            constructor() { super(); this.readyState = 0; this.bufferedAmount = 0; }
            close() { this.dispatchEvent(new CloseEvent('close', { code: 1006 })); }
            send() {}
        };
    }""")
    page.button.click()
    page.expect_state("Connecting")
    page.button.click()
    page.expect_state("Ready")
    expect(page.notices).to_have_count(0)


def test_scores_are_drawn_instead_of_written(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    page.give("beckett.wav", beckett_wav())
    page.choose("endpoint", "simple")
    page.tab.locator("#real-time").uncheck()
    page.button.click()
    expect(page.tab.locator(".legend")).to_contain_text("count")
    expect(page.entries().first).to_contain_text("count 4000")
    page.expect_state("Ready")
    described = page.tab.locator(".panel canvas").get_attribute("aria-label")
    assert described is not None
    assert described.startswith("Channel 1 over time; now count")


def test_the_segment_can_be_finished_by_hand(transcriber: Server, open_page: Open) -> None:
    page = open_page(address(transcriber))
    page.start()
    expect(page.entries("speaking").first).to_be_visible()
    page.tab.keyboard.press("Control+Shift+Enter")
    expect(page.entries().first).to_contain_text("finished by hand")
    page.tab.keyboard.press("Control+Enter")
    page.expect_state("Ready")


def test_a_server_that_is_killed_and_comes_back(launch: Launch, open_page: Open) -> None:
    server = launch()
    port = server.port
    refused = "ERR_CONNECTION|WebSocket connection to|closed"
    page = open_page(address(server), allowed=refused)
    page.end_segments_sooner()
    page.start()
    expect(page.entries("speaking").first).to_contain_text(re.compile(r"[Tt]imes"))
    server.process.kill()
    page.expect_state("Reconnecting")
    server.process.wait()
    launch(None, "--port", str(port))
    page.expect_state("Streaming")
    expect(page.entries("lost").first).to_contain_text("connection lost")
    gap = page.tab.locator(".gap")
    expect(gap).to_contain_text(re.compile(r"\d:\d\d\.\d to \d:\d\d\.\d was not transcribed"))
    expect(page.notices.first).to_contain_text(
        "was not transcribed: the connection was interrupted"
    )
    expect(page.entries().first).to_be_visible()
    page.stop()
    lost = next(json.loads(event) for event in page.events() if '"type":"lost"' in event)
    written = page.entries().first.locator(".time").inner_text()
    minutes, seconds = map(float, written.split(" ")[0].split(":"))
    assert 60 * minutes + seconds >= round(lost["end_time"], 1), "time did not go on"


def test_a_server_that_is_restarted(launch: Launch, open_page: Open) -> None:
    server = launch({"limits": {"drain_seconds": 4}})
    port = server.port
    page = open_page(address(server), allowed="ERR_CONNECTION|WebSocket connection to|closed|503")
    page.end_segments_sooner()
    page.start()
    expect(page.entries("speaking").first).to_contain_text(re.compile(r"[Tt]imes"))
    server.send_signal(signal.SIGTERM)
    expect(page.notices.first).to_contain_text("The server is about to restart")
    page.expect_state("Reconnecting")
    assert server.process.wait(TIMEOUT_S) == 0
    before = page.entries().count()
    assert before >= 1
    expect(page.entries("speaking")).to_have_count(0)
    assert page.entries("lost").count() == 0, "what the server had heard is final"
    launch(None, "--port", str(port))
    page.expect_state("Streaming")
    expect(page.tab.locator(".gap")).to_contain_text("was not transcribed")
    expect(page.entries().nth(before)).to_be_visible()
    page.stop()
    events = [json.loads(event) for event in page.events()]
    stopped = next(event for event in events if event["type"] == "stopped")
    (lost,) = [event for event in events if event["type"] == "lost"]
    assert lost["start_time"] == pytest.approx(stopped["audio_seconds"])
    assert not [event for event in events if event["type"] == "error"]


def test_two_tabs_at_once(transcriber: Server, open_page: Open) -> None:
    pages = [open_page(address(transcriber)) for _ in range(2)]
    for page in pages:
        page.end_segments_sooner()
        page.start()
    for page in pages:
        expect(page.entries().first).to_contain_text("best of times")
    for page in pages:
        page.stop()
    traces = {page.tab.locator("#trace-id").inner_text() for page in pages}
    assert len(traces) == 2


def test_microphone_denied(standin: Server, open_page: Open, context: BrowserContext) -> None:
    context.clear_permissions()
    page = open_page(address(standin))
    page.button.click()
    expect(page.notices).to_contain_text("The microphone is blocked for this page")
    expect(page.notices).to_have_attribute("role", "alert")
    expect(page.button).to_have_text("Start")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ("delete Navigator.prototype.mediaDevices", "only to pages over https"),
        (
            "navigator.mediaDevices.getUserMedia = async () => "
            "{ throw new DOMException('', 'NotFoundError'); }; 0",
            "No microphone was found",
        ),
    ],
    ids=["insecure", "absent"],
)
def test_no_microphone(standin: Server, open_page: Open, spoil: str, told: str) -> None:
    page = open_page(address(standin))
    page.tab.evaluate(spoil)
    page.button.click()
    expect(page.notices).to_contain_text(told)


def test_microphone_unplugged(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    page.tab.evaluate(
        """() => {
            const devices = navigator.mediaDevices;
            const ask = devices.getUserMedia.bind(devices);
            devices.getUserMedia = async (wanted) => (window.media = await ask(wanted));
        }"""
    )
    page.start()
    page.tab.evaluate("media.getAudioTracks()[0].dispatchEvent(new Event('ended'))")
    expect(page.notices).to_contain_text("The microphone was unplugged")
    page.expect_state("Ready")
    assert any('"type":"stopped"' in event for event in page.events())


def test_a_file_that_is_not_audio(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    page.give("letter.wav", b"Dear sir or madam")
    page.button.click()
    expect(page.notices).to_contain_text("letter.wav is not audio that this browser can decode")


@pytest.mark.parametrize("kind", ["WAV", "FLAC"])
def test_a_file_that_was_cut_off_is_played_and_said(
    standin: Server, open_page: Open, kind: str
) -> None:
    whole = io.BytesIO()
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, 160_000)
    soundfile.write(whole, samples, 16_000, "PCM_16", format=kind)
    page = open_page(address(standin))
    page.stream_at_once("whole", whole.getvalue())
    expect(page.entries()).to_have_count(40)
    expect(page.notices).to_have_count(0)
    page.stream_at_once("cut", whole.getvalue()[: len(whole.getvalue()) // 2])
    expect(page.notices).to_contain_text(
        re.compile(r"cut ends early: of 10\.0 s .*, [45]\.\d s are missing\. The rest is processed")
    )
    page.assert_accessible()


def test_a_file_without_audio_says_that_it_is_empty(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    page.give("empty.m4a", b"")
    page.button.click()
    expect(page.notices).to_contain_text("empty.m4a is empty")
    page.give("header.wav", wav(np.zeros(0), sample_rate=16_000))
    page.button.click()
    expect(page.notices).to_contain_text("header.wav contains no audio")


def test_without_a_server(launch: Launch, open_page: Open) -> None:
    server = launch({"model": {"type": "standin"}})
    port = server.port
    page = open_page(address(server), allowed="ERR_CONNECTION|WebSocket connection to|503")
    server.stop()
    page.button.click()
    expect(page.notices).to_contain_text("The server cannot be reached")
    page.expect_state("Not reachable")
    launch({"model": {"type": "standin"}}, "--port", str(port))
    expect(page.notices).to_have_count(0)
    page.expect_state("Ready")


def test_over_https_below_a_path_of_a_proxy(
    standin: Server, open_page: Open, tmp_path: Path
) -> None:
    with tls_proxy(standin.port, "/speech", tmp_path) as port:
        page = open_page(f"https://localhost:{port}/speech/")
        page.choose("endpoint", "simple")
        page.start()
        expect(page.entries().first).to_be_visible()
        page.stop()
        prefix = f"https://localhost:{port}/speech/"
        assert all(url.startswith(prefix) for url in page.requests)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_people_out(transcriber: Server, open_page: Open, scheme: str) -> None:
    page = open_page(address(transcriber))
    page.tab.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.give("beckett.wav", beckett_wav())
    page.open_advanced()
    page.tab.locator("details.log summary").click()
    page.assert_accessible()
    page.button.click()
    expect(page.entries().first).to_be_visible()
    page.assert_accessible()
    page.stop()
    page.tab.evaluate("window.scrollTo(0, 0)")
    page.tab.set_viewport_size({"width": 360, "height": 740})
    page.assert_accessible()
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.tab.evaluate(overflow) == 0


def test_everything_is_reached_by_keyboard(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    page.open_advanced()
    page.tab.evaluate("document.activeElement.blur()")
    focused = "document.activeElement.id || document.activeElement.className"
    reached = set()
    for _ in range(30):
        page.tab.keyboard.press("Tab")
        reached.add(page.tab.evaluate(focused))
    assert {"skip", "device", "channels", "interim", "rate", "start"} <= reached
    page.button.focus()
    page.tab.keyboard.press("Enter")
    page.expect_state("Streaming")
    page.tab.keyboard.press("Enter")
    page.expect_state("Ready")


def test_the_page_waits_while_the_model_loads(launch: Launch, context: BrowserContext) -> None:
    model = {"type": "standin", "options": {"warmup_penalty": 3}}
    server = launch({"model": model}, ready=False)
    port = server.port
    wait_until(lambda: _listens(port), "the server listens")
    tab = context.new_page()
    tab.goto(address(server))
    expect(tab.locator("#state-text")).to_have_text("Model is loading")
    expect(tab.locator("#state-text")).to_have_text("Ready")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_token_is_asked_for_and_then_remembered(launch: Launch, open_page: Open) -> None:
    server = launch({"model": {"type": "standin"}, "access": {"tokens": ["sesame"]}})
    page = open_page(address(server), allowed="401|WebSocket connection to")
    page.choose("endpoint", "simple")
    page.button.click()
    expect(page.notices).to_contain_text("The server needs a token")
    expect(page.notices).not_to_contain_text("subprotocol")
    token = page.tab.get_by_label("Token")
    expect(token).to_be_focused()
    token.fill("wrong")
    page.button.click()
    expect(page.notices).to_contain_text("The server does not accept this token")
    token.fill("sesame")
    page.start()
    expect(page.entries().first).to_be_visible()
    page.stop()
    page.tab.reload()
    page.start()
    page.stop()
    assert not any("sesame" in url for url in page.requests)
