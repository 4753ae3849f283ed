"""Words on the page: the uncertain ones are marked, and each can be played."""

import json
import re
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Locator, Route, expect

from tests.end_to_end.conftest import Launch
from tests.web.audio_files import beckett_wav, wav
from tests.web.conftest import Open
from tests.web.page import Page, address
from tools.harness.process import Server, wait_until

SPEAKER = """
from streamer import Model

WORDS = (("One", 0.0, 0.6, 0.95), ("two", 0.6, 1.2, 0.31), ("three.", 1.2, 2.0, 0.5))
FIELDS = ("text", "start_time", "end_time", "confidence")


class Speaker(Model):
    returns_words = True

    def infer(self, samples):
        return {"text": "One two three."}

    def infer_request(self, samples, request):
        words = [dict(zip(FIELDS, word)) for word in WORDS if word[2] <= len(samples) / 16_000]
        return {**self.infer(samples), **({"words": words} if request.words else {})}
"""

SIX_SECONDS = wav(np.zeros(96_000), sample_rate=16_000)
"""Three chunks."""


@pytest.fixture(scope="module")
def speaker(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """A server whose model has the same three words for every two seconds; it doubts the second."""
    folder = tmp_path_factory.mktemp("speaker")
    (folder / "speaker.py").write_text(SPEAKER)
    config = {"model": {"type": "speaker:Speaker"}, "simple": {"chunk_seconds": 2}}
    (folder / "streamer.json").write_text(json.dumps(config))
    server = Server(folder, None, "--config", str(folder / "streamer.json"))
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()


@pytest.fixture
def page(speaker: Server, open_page: Open) -> Page:
    """With a take of three lines."""
    page = open_page(address(speaker))
    page.stream_at_once("counted.wav", SIX_SECONDS)
    expect(page.entries()).to_have_count(3)
    return page


def words(page: Page, line: int, column: int = 0) -> Locator:
    """The words of a line."""
    return page.entries(column=column).nth(line).locator(".word")


def lit(page: Page) -> Locator:
    return page.tab.locator(".word[aria-current=true]")


def tooltip(page: Page) -> Locator:
    return page.tab.locator(".certainty")


OBSERVE = """() => {
    window.wasLit = [];
    const observer = new MutationObserver((changes) => {
        for (const { target } of changes) {
            const line = [...document.querySelectorAll('.said')].indexOf(target.parentElement);
            if (target.ariaCurrent) wasLit.push([line, target.firstChild.data]);
        }
    });
    const takes = document.getElementById('takes');
    observer.observe(takes, { subtree: true, attributeFilter: ['aria-current'] });
}"""
"""Keeps each word that is lit from now on, with the number of its line."""


def is_underlined(word: Locator) -> bool:
    return bool(word.evaluate("(word) => getComputedStyle(word).textDecorationLine") == "underline")


def is_playing(page: Page, *, playing: bool = True) -> None:
    expect(page.tab.locator("#playing")).to_be_visible(visible=playing)


def test_an_uncertain_word_is_underlined_and_its_percentage_is_beside_it(page: Page) -> None:
    one, two, three = (words(page, 0).nth(number) for number in range(3))
    assert [is_underlined(word) for word in (one, two, three)] == [False, True, False]
    expect(tooltip(page)).to_be_hidden()
    two.hover()
    expect(tooltip(page)).to_have_text("31 % certain")
    assert page.in_view(tooltip(page))
    tooltip(page).hover()
    expect(tooltip(page)).to_be_visible()
    one.hover()
    expect(tooltip(page)).to_be_hidden()
    two.hover()
    page.tab.keyboard.press("Escape")
    expect(tooltip(page)).to_be_hidden()


def test_a_screen_reader_finds_a_line_of_text_with_what_is_uncertain(page: Page) -> None:
    (line,) = page.entries().nth(0).locator(".said").all_text_contents()
    assert line == "One two (uncertain, 31 %) three."
    assert page.lines(page.entries())[0] == "One two three."
    # Only the word with the tab stop has a role.
    assert page.entries().nth(0).locator(".said [role]").count() == 1
    announced = page.tab.locator("#announcer p").all_text_contents()
    assert announced == ["One two three."] * 3


def test_a_line_is_one_tab_stop_and_the_arrow_keys_go_from_word_to_word(page: Page) -> None:
    keyboard = page.tab.keyboard
    page.entries().nth(1).locator(".play").focus()
    keyboard.press("Tab")
    expect(words(page, 1).nth(0)).to_be_focused()
    keyboard.press("ArrowRight")
    expect(words(page, 1).nth(1)).to_be_focused()
    expect(words(page, 1).nth(1)).to_have_role("button")
    expect(tooltip(page)).to_have_text("31 % certain")
    for key in ("End", "ArrowRight"):
        keyboard.press(key)
        expect(words(page, 1).nth(2)).to_be_focused()
        expect(tooltip(page)).to_be_hidden()
    keyboard.press("Home")
    keyboard.press("ArrowLeft")
    expect(words(page, 1).nth(0)).to_be_focused()
    keyboard.press("ArrowRight")
    keyboard.press("Tab")
    expect(page.entries().nth(2).locator(".play")).to_be_focused()
    keyboard.press("Shift+Tab")
    expect(words(page, 1).nth(1)).to_be_focused()


def test_a_click_plays_from_a_word_to_the_end_and_lights_what_is_heard(page: Page) -> None:
    page.tab.evaluate(OBSERVE)
    words(page, 1).nth(1).click()
    is_playing(page)
    expect(page.tab.locator("#playing")).to_contain_text(
        re.compile("Playing “counted.wav”.*0:0[2-5]", re.DOTALL)
    )
    play = page.entries().locator(".play")
    expect(play.nth(2)).to_have_attribute("aria-pressed", "true")
    expect(play.nth(1)).to_have_attribute("aria-pressed", "false")
    assert lit(page).count() <= 1
    is_playing(page, playing=False)
    expect(lit(page)).to_have_count(0)
    expect(page.tab.locator('.play[aria-pressed="true"]')).to_have_count(0)
    assert page.tab.evaluate("wasLit") == [
        *[[1, "two"], [1, "three."]],
        *[[2, "One"], [2, "two"], [2, "three."]],
    ]


@pytest.mark.parametrize("key", ["Enter", " "])
def test_a_key_plays_from_a_word_and_stops_it(page: Page, key: str) -> None:
    word = words(page, 0).nth(2)
    words(page, 0).nth(0).focus()
    page.tab.keyboard.press("End")
    page.tab.keyboard.press(key)
    is_playing(page)
    expect(word).to_be_focused()
    page.tab.keyboard.press("Escape")
    is_playing(page, playing=False)
    page.tab.keyboard.press(key)
    stop = page.tab.get_by_role("button", name="Stop playing")
    stop.focus()
    page.tab.keyboard.press("Enter")
    is_playing(page, playing=False)
    expect(word).to_be_focused()


def test_the_button_of_a_segment_plays_it_and_its_words_are_lit(page: Page) -> None:
    page.tab.evaluate(OBSERVE)
    play = page.entries().nth(1).locator(".play")
    play.click()
    expect(play).to_have_attribute("aria-pressed", "true")
    is_playing(page, playing=False)
    expect(play).to_have_attribute("aria-pressed", "false")
    assert page.tab.evaluate("wasLit") == [[1, "One"], [1, "two"], [1, "three."]]
    words(page, 0).first.click()
    pressed = page.tab.locator('.play[aria-pressed="true"]')
    expect(pressed).to_have_count(1)
    pressed.click()
    is_playing(page, playing=False)


def test_who_selects_text_does_not_want_it_played(page: Page) -> None:
    words(page, 0).nth(1).evaluate(
        """(word) => {
            getSelection().selectAllChildren(word.parentElement);
            word.click();
        }"""
    )
    is_playing(page, playing=False)
    assert page.tab.evaluate("getSelection().toString()") == "One two three."


def test_marks_can_be_switched_off_and_stay_off(page: Page) -> None:
    switch = page.tab.get_by_label("Mark uncertain words")
    two = words(page, 0).nth(1)
    page.open_advanced()
    expect(switch).to_be_checked()
    switch.uncheck()
    assert not is_underlined(two)
    two.hover()
    expect(tooltip(page)).to_be_hidden()
    expect(two.locator(".visually-hidden")).to_have_css("display", "none")
    page.tab.reload()
    page.expect_state("Ready")
    expect(switch).not_to_be_checked()
    assert not is_underlined(two)
    assert page.tab.locator(".word[tabindex]").count() == 0
    switch.check()
    assert is_underlined(two)
    assert page.tab.locator(".word[tabindex='0']").count() == 3


def test_marks_can_be_switched_while_a_stream_runs(speaker: Server, open_page: Open) -> None:
    page = open_page(address(speaker))
    page.choose("endpoint", "simple")
    page.start()
    expect(page.entries().first).to_be_visible()
    page.tab.get_by_label("Mark uncertain words").uncheck()
    assert not is_underlined(words(page, 0).nth(1))
    page.stop()


def test_nothing_is_played_while_the_microphone_is_on(page: Page) -> None:
    words(page, 0).first.click()
    is_playing(page)
    page.choose("source", "microphone")
    page.start()
    is_playing(page, playing=False)
    words(page, 0).first.click()
    expect(page.notices).to_contain_text("While the microphone is on, nothing is played")
    is_playing(page, playing=False)
    page.stop()
    expect(page.notices).to_have_count(0)
    words(page, 0).first.click()
    is_playing(page)


def test_a_take_that_is_removed_is_not_played_on(page: Page) -> None:
    words(page, 0).first.click()
    is_playing(page)
    page.takes.get_by_role("button", name="Remove counted.wav").click()
    page.takes.get_by_role("button", name="Remove it").click()
    is_playing(page, playing=False)
    page.notices.get_by_role("button", name="Undo").click()
    words(page, 0).nth(2).click()
    is_playing(page)


def test_after_a_reload_words_are_marked_and_not_played(page: Page) -> None:
    page.tab.reload()
    page.expect_state("Ready")
    one, two = words(page, 0).nth(0), words(page, 0).nth(1)
    expect(two).to_be_visible()
    assert is_underlined(two)
    one.click()
    is_playing(page, playing=False)
    expect(page.takes).to_contain_text("without audio")
    expect(page.tab.locator("#kept")).to_contain_text("after a reload, takes cannot be played")
    page.tab.locator(".take-exports, .take-head button").last.focus()
    page.tab.keyboard.press("Tab")
    expect(two).to_be_focused()
    expect(two).to_have_attribute("role", "mark")
    expect(tooltip(page)).to_have_text("31 % certain")
    page.tab.keyboard.press("Enter")
    is_playing(page, playing=False)
    page.assert_accessible()


def test_audio_that_is_forgotten_is_said_and_its_words_are_not_played(
    speaker: Server, open_page: Open, context: BrowserContext
) -> None:
    def keep_less(route: Route) -> None:
        source = route.fetch().text()
        assert "64 * 1024 * 1024" in source
        less = source.replace("64 * 1024 * 1024", "1024 * 1024 / 8")  # 4.1 s of what is sent here
        route.fulfill(body=less, content_type="text/javascript")

    context.route("**/recordings.js", keep_less)
    page = open_page(address(speaker))
    page.stream_at_once("long.wav", SIX_SECONDS)
    expect(page.notices).to_have_count(1)
    expect(page.notices).to_contain_text("The page keeps the last 0.125 MiB of audio.")
    expect(page.notices).to_contain_text("“long.wav”, is forgotten and cannot be played any more")
    words(page, 0).first.click()
    is_playing(page, playing=False)
    expect(page.entries().first.locator(".play")).to_be_disabled()
    words(page, 2).first.click()
    is_playing(page)


def test_each_channel_plays_its_own_words(speaker: Server, open_page: Open) -> None:
    page = open_page(address(speaker))
    page.stream_at_once("two.wav", wav(np.zeros(96_000), np.zeros(96_000), sample_rate=16_000))
    page.tab.evaluate(OBSERVE)
    words(page, 2, column=1).nth(1).click()
    is_playing(page)
    is_playing(page, playing=False)
    assert page.tab.evaluate("wasLit") == [[5, "two"], [5, "three."]]


def test_a_model_without_words_is_not_asked_for_them(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    page.open_advanced()
    expect(page.tab.get_by_label("Mark uncertain words")).to_be_hidden()
    page.stream_at_once("a.wav", wav(np.zeros(16_000), sample_rate=16_000))
    (started,) = [event for event in page.events() if '"started"' in event]
    assert "words" not in json.loads(started)
    expect(page.notices).to_have_count(0)


def test_words_are_asked_for_on_a_page_that_was_there_before_its_model(
    launch: Launch, open_page: Open, tmp_path: Path
) -> None:
    slow = f"import time\n{SPEAKER}\n    def __init__(self):\n        time.sleep(3)\n"
    (tmp_path / "slow.py").write_text(slow)
    config = {"model": {"type": "slow:Speaker"}, "simple": {"chunk_seconds": 2}}
    (tmp_path / "streamer.json").write_text(json.dumps(config))
    server = launch(None, "--config", str(tmp_path / "streamer.json"), ready=False)
    wait_until(lambda: server.get("/health").status == 200, "the server answers")
    page = open_page(address(server), allowed="503")
    page.stream_at_once("counted.wav", SIX_SECONDS)
    expect(page.tab.locator(".word")).to_have_count(9)


def test_words_that_a_server_has_no_more_are_no_trouble(
    standin: Server, open_page: Open, context: BrowserContext
) -> None:
    """Such as after a reconnection to another server."""
    info = {**standin.get("/api/v1/info").json()}
    info["models"] = [{**model, "words": True} for model in info["models"]]
    context.route("**/api/v1/info", lambda route: route.fulfill(json=info))
    page = open_page(address(standin))
    page.stream_at_once("a.wav", wav(np.zeros(16_000), sample_rate=16_000))
    assert any('"no_words"' in event for event in page.events())
    expect(page.notices).to_have_count(0)
    expect(page.entries()).to_have_count(4)


def test_what_a_transcriber_says_is_played_where_it_was_said(
    transcriber: Server, open_page: Open
) -> None:
    page = open_page(address(transcriber))
    page.stream_at_once("beckett.wav", beckett_wav(), "segmented")
    word = page.tab.locator(".word", has_text=re.compile("better", re.IGNORECASE))
    start = float(word.get_attribute("data-start") or "nan")
    assert 7 < start < 10
    page.tab.evaluate(OBSERVE)
    word.click()
    is_playing(page, playing=False)
    assert page.tab.evaluate("wasLit")[0][1] == word.evaluate("(word) => word.firstChild.data")
    (started,) = [json.loads(event) for event in page.events() if '"started"' in event]
    assert started["words"] is True


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1366, 650), (390, 844), (1920, 1080)])
def test_nothing_keeps_people_out(page: Page, scheme: str, width: int, height: int) -> None:
    page.tab.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.tab.set_viewport_size({"width": width, "height": height})
    words(page, 1).nth(1).click()
    expect(lit(page)).to_have_count(1)
    expect(tooltip(page)).to_be_visible()
    assert page.in_view(page.tab.get_by_role("button", name="Stop playing"))
    assert page.in_view(tooltip(page))
    page.assert_accessible()
