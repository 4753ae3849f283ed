"""The focus of the keyboard stays where a person works, or goes on to what comes next."""

import numpy as np
from playwright.sync_api import BrowserContext, expect

from tests.web.audio_files import wav
from tests.web.conftest import Open
from tests.web.page import address
from tests.web.test_layout import CUTTABLE, SIZES, Size, resize
from tests.web.test_takes import SHORT
from tools.harness.process import Server

LONG = wav(np.zeros(16_000 * 20), sample_rate=16_000)


def test_the_button_keeps_the_focus_from_start_to_stop_and_after(
    standin: Server, open_page: Open
) -> None:
    page = open_page(address(standin))
    page.button.focus()
    for state in ("Streaming", "Ready"):
        page.tab.keyboard.press("Enter")
        page.expect_state(state)
        expect(page.button).to_be_focused()


def test_finish_segment_passes_the_focus_on_when_the_run_ends(
    standin: Server, open_page: Open
) -> None:
    page = open_page(address(standin))
    page.start()
    page.tab.locator("#flush").focus()
    page.tab.keyboard.press("Control+Enter")
    page.expect_state("Ready")
    expect(page.button).to_be_focused()


def test_a_setting_that_is_locked_passes_the_focus_on(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    page.open_advanced()
    page.tab.get_by_label("Token").focus()
    page.tab.keyboard.press("Control+Enter")
    page.expect_state("Streaming")
    expect(page.button).to_be_focused()
    page.stop()


def test_try_now_keeps_the_focus_and_then_passes_it_on(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin), allowed="WebSocket connection to")
    page.tab.evaluate(CUTTABLE)
    page.start()
    page.tab.evaluate("isCut = true; sockets.at(-1).close()")
    try_now = page.tab.get_by_role("button", name="Try now")
    try_now.focus()
    before = int(page.tab.evaluate("sockets.length"))
    page.tab.keyboard.press("Enter")
    page.tab.wait_for_function(f"() => sockets.length > {before + 1}")
    expect(try_now).to_be_focused()
    page.tab.evaluate("isCut = false")
    page.tab.keyboard.press("Enter")
    page.expect_state("Streaming")
    expect(page.button).to_be_focused()
    page.stop()


def test_a_notice_that_goes_passes_the_focus_on(
    standin: Server, open_page: Open, context: BrowserContext
) -> None:
    page = open_page(address(standin))
    transcript = page.tab.locator("#transcript")
    page.stream_at_once("a.wav", SHORT)
    for button in ("Undo", "Dismiss"):
        page.takes.get_by_role("button", name="Remove a.wav").click()
        page.takes.get_by_role("button", name="Remove it").click()
        page.notices.get_by_role("button", name=button).focus()
        page.tab.keyboard.press("Enter")
        expect(page.notices).to_have_count(0)
        expect(transcript).to_be_focused()
    context.clear_permissions()
    page.choose("source", "microphone")
    page.button.click()
    page.notices.get_by_role("button", name="Dismiss").focus()
    page.tab.keyboard.press("Control+Enter")
    expect(page.notices).to_have_count(1)
    expect(transcript).to_be_focused()


def test_a_name_that_is_being_written_stays_when_another_take_begins(
    standin: Server, open_page: Open
) -> None:
    page = open_page(address(standin))
    page.stream_at_once("a.wav", SHORT)
    page.give("b.wav", LONG)
    page.tab.locator("#real-time").check()
    name = page.takes.first.locator(".take-name")
    name.fill("Board mee")
    page.tab.evaluate("document.querySelector('#start').click()")
    expect(page.takes).to_have_count(2)
    expect(name).to_be_focused()
    page.tab.keyboard.press("End")
    page.tab.keyboard.type("ting")
    page.tab.keyboard.press("Enter")
    assert page.names() == ["Board meeting", "b.wav"]
    page.stop()


@SIZES
def test_what_has_the_focus_is_never_covered(standin: Server, open_page: Open, size: Size) -> None:
    page = open_page(address(standin))
    for number in range(4):
        page.stream_at_once(f"{number}.wav", SHORT)
    resize(page, size)
    page.open_advanced()
    page.takes.first.get_by_role("button", name="Remove 0.wav").click()
    page.takes.first.get_by_role("button", name="Remove it").click()
    expect(page.notices).to_have_count(1)
    for key in ("Tab", "Shift+Tab"):
        page.tab.locator("#log-count" if key == "Shift+Tab" else ".skip").evaluate(
            "(element) => (element.closest('summary') ?? element).focus()"
        )
        for _ in range(60):
            page.tab.keyboard.press(key)
            focused = page.tab.locator(":focus")
            if focused.count() == 0:
                break
            if focused.get_attribute("class") != "skip":
                assert page.in_view(focused), focused.evaluate("(one) => one.outerHTML")
