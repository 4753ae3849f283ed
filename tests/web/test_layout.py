"""What is in view, on a laptop, a phone and a large screen."""

import json
import re
from collections.abc import Generator
from typing import NamedTuple

import numpy as np
import pytest
import soxr
from playwright.sync_api import BrowserContext, Locator, expect

from tests.end_to_end.conftest import Launch
from tests.web.audio_files import beckett_wav, wav
from tests.web.conftest import Open
from tests.web.page import Page, address
from tools.harness.process import Server
from tools.harness.sounds import recording


class Size(NamedTuple):
    """Of a window, in pixels."""

    width: int
    height: int


LAPTOP, PHONE, LARGE = Size(1366, 650), Size(390, 844), Size(1920, 1080)
SIZES = pytest.mark.parametrize("size", [LAPTOP, PHONE, LARGE], ids=["laptop", "phone", "large"])
LONG = wav(np.zeros(16_000 * 8), sample_rate=16_000)
"""Eight seconds: 32 chunks, more than any of these windows shows."""


TALKER = """
from streamer import Model


class Talker(Model):
    def infer(self, samples):
        return {"text": f"{len(samples)} samples"}
"""

CUTTABLE = """() => {
    const Real = WebSocket;
    window.sockets = [];
    window.isCut = false;
    window.WebSocket = class extends Real {
        constructor(url) {
            super(isCut ? url.replace('/api/', '/nowhere/') : url);
            sockets.push(this);
        }
    };
}"""
"""Lets a test close the connection, and keep it from being opened."""


def resize(page: Page, size: Size) -> None:
    page.tab.set_viewport_size({"width": size.width, "height": size.height})


def top_of(element: Locator) -> float:
    box = element.bounding_box()
    assert box is not None
    return box["y"]


def scrolled(page: Page) -> float:
    return float(page.tab.evaluate("scrollY"))


@SIZES
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_start_is_in_view_and_nobody_is_kept_out(
    standin: Server, open_page: Open, size: Size, scheme: str
) -> None:
    page = open_page(address(standin))
    page.tab.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    resize(page, size)
    for source in ("microphone", "file", "sample"):
        page.choose("source", source)
        assert scrolled(page) == 0
        assert page.in_view(page.button)
    page.assert_accessible()
    page.open_advanced()
    page.assert_accessible()
    page.stream_at_once("a.wav", LONG)
    page.stream_at_once("b.wav", LONG)
    assert page.in_view(page.button)
    page.assert_accessible()


def test_technical_settings_are_folded_until_they_are_opened_and_stay_as_they_were_left(
    standin: Server, open_page: Open
) -> None:
    page = open_page(address(standin))
    technical = [page.tab.locator(f"#{name}") for name in ("rate", "interim", "channels", "token")]
    for field in technical:
        expect(field).to_be_hidden()
    for is_open in (True, False):
        page.tab.locator("#advanced summary").click()
        for field in technical:
            expect(field).to_be_visible(visible=is_open)
        page.tab.reload()
        page.expect_state("Ready")
        for field in technical:
            expect(field).to_be_visible(visible=is_open)


def test_on_a_phone_settings_stay_folded_after_a_run(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    resize(page, PHONE)
    page.open_advanced()
    page.choose("endpoint", "simple")
    source = page.tab.locator("#source")
    page.start()
    expect(source).to_be_hidden()
    expect(page.entries().nth(3)).to_be_visible()
    page.stop()
    expect(source).to_be_hidden()
    assert page.in_view(page.button)
    fold = page.tab.get_by_role("button", name="Source and settings")
    expect(fold).to_have_attribute("aria-expanded", "false")
    fold.click()
    expect(source).to_be_visible()
    expect(page.tab.locator("#rate")).to_be_visible()
    resize(page, LAPTOP)
    page.start()
    expect(source).to_be_visible()
    page.stop()


@pytest.fixture(scope="module")
def talker(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """A server whose model has a text for each quarter of a second."""
    folder = tmp_path_factory.mktemp("talker")
    (folder / "talker.py").write_text(TALKER)
    config = {"model": {"type": "talker:Talker"}, "simple": {"chunk_seconds": 0.25}}
    (folder / "streamer.json").write_text(json.dumps(config))
    server = Server(folder, None, "--config", str(folder / "streamer.json"))
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()


@SIZES
def test_the_newest_line_is_in_view_unless_a_person_scrolls_away(
    talker: Server, open_page: Open, size: Size
) -> None:
    page = open_page(address(talker))
    page.stream_at_once("a.wav", LONG)
    page.give("b.wav", wav(np.zeros(16_000 * 60), sample_rate=16_000))
    page.tab.locator("#real-time").check()
    resize(page, size)
    newest = page.tab.locator("#newest")
    page.start()
    entries = page.takes.nth(1).locator(".entry")
    for count in (1, 4, 9):
        expect(entries.nth(count)).to_be_visible()
        assert page.in_view(entries.nth(count))
    expect(newest).to_be_hidden()
    page.tab.evaluate("scrollTo(0, 0)")
    expect(newest).to_be_visible()
    count = entries.count()
    expect(entries.nth(count + 3)).to_be_visible()
    assert scrolled(page) == 0
    newest.click()
    expect(newest).to_be_hidden()
    assert scrolled(page) > 0
    expect(entries.nth(count + 6)).to_be_visible()
    assert page.in_view(entries.nth(count + 6))
    page.stop()
    expect(newest).to_be_hidden()


@SIZES
def test_the_chart_of_scores_stays_in_view(standin: Server, open_page: Open, size: Size) -> None:
    page = open_page(address(standin))
    page.stream_at_once("a.wav", LONG)
    resize(page, size)
    page.tab.evaluate("scrollTo(0, 0)")
    page.button.click()
    expect(page.takes.nth(1).locator(".entry").nth(20)).to_be_attached()
    page.expect_state("Ready")
    assert scrolled(page) == 0
    expect(page.tab.locator("#newest")).to_be_hidden()


@SIZES
def test_a_notice_is_in_view_and_announced_wherever_the_page_is_scrolled(
    standin: Server, open_page: Open, context: BrowserContext, size: Size
) -> None:
    page = open_page(address(standin))
    for _ in range(3):
        page.stream_at_once("a.wav", LONG)
    resize(page, size)
    context.clear_permissions()
    page.tab.evaluate("document.querySelector('[name=source]').click()")
    page.tab.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.tab.keyboard.press("Control+Enter")
    expect(page.notices).to_contain_text("The microphone is blocked for this page")
    expect(page.notices).to_have_attribute("role", "alert")
    assert page.in_view(page.notices)
    page.assert_accessible()
    page.tab.evaluate("scrollTo(0, 0)")
    assert page.in_view(page.notices)


def test_what_is_no_error_is_announced_by_a_region_that_was_there_before(
    standin: Server, open_page: Open
) -> None:
    page = open_page(address(standin))
    expect(page.tab.locator("#remarks")).to_have_attribute("aria-live", "polite")
    page.stream_at_once("a.wav", LONG)
    page.takes.get_by_role("button", name="Remove a.wav").click()
    page.takes.get_by_role("button", name="Remove it").click()
    expect(page.tab.locator("#remarks .notice")).to_contain_text("was removed")


@SIZES
def test_while_it_reconnects_a_banner_counts_down_and_goes(
    standin: Server, open_page: Open, size: Size
) -> None:
    page = open_page(address(standin), allowed="WebSocket connection to")
    page.tab.evaluate(CUTTABLE)
    # Only the button leads to a connection.
    page.tab.evaluate(
        "document.querySelector('#try-now').addEventListener('click', () => (isCut = false), true)"
    )
    resize(page, size)
    page.choose("endpoint", "simple")
    page.start()
    expect(page.entries().nth(8)).to_be_visible()
    banner = page.tab.locator("#reconnect")
    expect(banner).to_be_hidden()
    page.tab.evaluate("isCut = true; sockets.at(-1).close()")
    expect(banner).to_contain_text("The connection was lost")
    expect(banner).to_contain_text(re.compile(r"Next attempt in [2-9] s \(attempt [3-9]\)"))
    assert page.in_view(banner)
    line = page.takes.locator(".entry").last
    assert top_of(banner) < top_of(line)
    page.assert_accessible()
    page.tab.get_by_role("button", name="Try now").click()
    page.expect_state("Streaming")
    expect(banner).to_be_hidden()
    expect(page.notices).to_contain_text("was not processed: the connection was interrupted")
    page.stop()


def test_the_level_is_zero_after_stop(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    page.start()
    level = page.tab.locator(".level")
    expect(level).not_to_have_attribute("aria-valuenow", "-60")
    page.stop()
    expect(level).to_have_attribute("aria-valuenow", "-60")
    expect(level.locator("i")).to_have_css("clip-path", re.compile(r"inset\(0px 100%"))
    expect(page.tab.locator(".lane")).to_have_attribute("data-speech", "false")


@pytest.mark.parametrize(
    "told",
    [
        "getSettings = () => ({ channelCount: 1 })",
        "getCapabilities = () => ({ channelCount: { max: 1 } })",
    ],
    ids=["settings", "capabilities"],
)
def test_a_mono_microphone_is_one_channel_whatever_was_chosen(
    standin: Server, open_page: Open, told: str
) -> None:
    page = open_page(address(standin))
    page.tab.evaluate(f"MediaStreamTrack.prototype.{told}; 0")
    page.open_advanced()
    page.tab.get_by_label("Channels").select_option("2")
    page.start()
    expect(page.notices).to_contain_text("This microphone has one channel, so the stream is mono.")
    expect(page.tab.locator(".lane")).to_have_count(1)
    page.stop()


@pytest.mark.parametrize("size", [LAPTOP, LARGE, PHONE], ids=["laptop", "large", "phone"])
def test_two_columns_are_aligned_in_time(transcriber: Server, open_page: Open, size: Size) -> None:
    page = open_page(address(transcriber))
    resize(page, size)
    page.end_segments_sooner()
    samples, rate = recording("beckett.wav")
    speech = soxr.resample(samples, rate, 16_000)[: 16_000 * 5]
    pause = np.zeros(16_000 * 6)
    turns = wav(
        np.concatenate([speech, pause, speech, pause]),
        np.concatenate([pause, speech, pause, speech]),
        sample_rate=16_000,
    )
    page.stream_at_once("turns.wav", turns, "segmented")
    placed = sorted(
        (seconds(entry.locator(".time").inner_text()), top_of(entry))
        for column in (0, 1)
        for entry in page.entries(column=column).all()
    )
    assert len(placed) >= 6
    heights = [y for _, y in placed]
    assert heights == sorted(heights), "what began later is not above what began earlier"
    lefts = {page.entries(column=column).first.bounding_box()["x"] for column in (0, 1)}  # type: ignore[index]
    assert len(lefts) == (1 if size is PHONE else 2)
    if size is PHONE:
        label = "element => getComputedStyle(element, '::before').content"
        assert page.entries(column=1).first.evaluate(label) == '"Channel 2"'
    page.assert_accessible()


def seconds(times: str) -> float:
    minutes, rest = times.split(" ")[0].split(":")
    return 60 * int(minutes) + float(rest)


def test_words_are_promised_only_by_a_transcriber(
    transcriber: Server, standin: Server, open_page: Open
) -> None:
    text = open_page(address(transcriber)).tab.locator("#empty")
    expect(text).to_contain_text("Press Start. Words appear while you speak")
    page = open_page(address(standin))
    expect(page.tab.locator("#empty")).to_contain_text(
        "The model’s results appear after each piece"
    )
    page.choose("endpoint", "simple")
    expect(page.tab.locator("#empty")).to_contain_text("The model’s results appear chunk by chunk")
    assert "ords" not in page.tab.locator("#transcript").inner_text()


@pytest.mark.parametrize("endpoint", ["segmented", "simple"])
def test_a_file_at_once_never_makes_the_server_busy(
    launch: Launch, open_page: Open, endpoint: str
) -> None:
    """A model that is hardly faster than speech, and a limit that is soon reached."""
    server = launch(
        {
            "model": {"type": "standin", "options": {"delay": 0.5}},
            "inference": {"workers": 1},
            "limits": {"max_lag_seconds": 6},
        }
    )
    page = open_page(address(server))
    page.stream_at_once("long.wav", beckett_wav(times=3), endpoint)
    assert page.entries().count() >= 9
    assert not any('"warning"' in event or '"error"' in event for event in page.events())
    expect(page.notices).to_have_count(0)


def test_a_notice_goes_when_what_it_says_is_over(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    page.choose("source", "file")
    page.button.click()
    expect(page.notices).to_contain_text("Choose an audio file first.")
    page.give("a.wav", LONG)
    expect(page.notices).to_have_count(0)


def test_sound_without_speech_is_told_during_the_stream_until_somebody_speaks(
    standin: Server, open_page: Open
) -> None:
    page = open_page(address(standin))
    tone = 0.3 * np.sin(2 * np.pi * 3_000 * np.arange(16_000 * 14) / 16_000)
    speech, rate = recording("beckett.wav")
    resampled = soxr.resample(speech, rate, 16_000)
    page.give("alarm.wav", wav(np.concatenate([tone, resampled]), sample_rate=16_000))
    page.start()
    expect(page.notices).to_contain_text("choose “Equal chunks” under “Advanced”")
    page.expect_state("Streaming")
    expect(page.notices).to_have_count(0)
    page.expect_state("Streaming")
    page.stop()


def test_on_a_phone_the_field_that_a_notice_is_about_is_shown(
    standin: Server, open_page: Open
) -> None:
    page = open_page(address(standin))
    resize(page, PHONE)
    page.stream_at_once("a.wav", LONG)
    page.tab.get_by_role("button", name="Source and settings").click()
    page.give("letter.wav", b"Dear sir or madam")
    page.button.click()
    expect(page.notices).to_contain_text("is not audio")
    field = page.tab.locator("#file")
    expect(field).to_be_focused()
    assert page.in_view(field)
    assert page.in_view(page.notices)
