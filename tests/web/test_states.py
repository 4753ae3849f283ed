"""What the page says in states that last: while it loads, without a server, without JavaScript."""

import socket
from collections.abc import Generator
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Route, expect

from tests.end_to_end.conftest import Launch
from tests.web.conftest import Open
from tests.web.page import Page, address
from tools.harness.process import TIMEOUT_S, Server

SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")

ENDING = {"status": "draining", "reason": "the server is ending", "workers": 1}


def answers_ready(context: BrowserContext, body: dict[str, object]) -> None:
    """The server says from now on that it is not ready."""
    context.route("**/api/v1/ready", lambda route: route.fulfill(status=503, json=body))


def cannot_connect(page: Page) -> None:
    """No WebSocket is opened from now on."""
    page.tab.evaluate(
        """() => {
            const Real = WebSocket;
            window.WebSocket = class extends Real {
                constructor(url) { super(url.replace('/api/', '/nowhere/')); }
            };
        }"""
    )


def test_a_run_that_waits_for_the_model_says_so(launch: Launch, context: BrowserContext) -> None:
    model = {"type": "standin", "options": {"warmup_penalty": 6}}
    server = launch({"model": model}, ready=False)
    tab = context.new_page()
    tab.goto(address(server))
    expect(tab.locator("#state-text")).to_have_text("Model is loading")
    expect(tab.locator("#empty-text")).to_contain_text("Press Start")
    tab.locator("#start").click()
    expect(tab.locator("#start")).to_have_text("Stop")
    expect(tab.locator("#empty-text")).not_to_contain_text("Press Start")
    expect(tab.locator("#state-text")).to_have_text("Connecting")
    expect(tab.locator("#state-text")).to_have_text("Model is loading")
    expect(tab.locator("#state-text")).to_have_text("Streaming")
    tab.locator("#start").click()
    expect(tab.locator("#state-text")).to_have_text("Ready")


def test_a_page_without_its_server_says_what_to_do_once(
    standin: Server, open_page: Open, context: BrowserContext
) -> None:
    page = open_page(address(standin), allowed="ERR_FAILED")
    context.route("**/api/v1/info", lambda route: route.abort())
    page.tab.reload()
    page.expect_state("Not reachable")
    expect(page.notices).to_contain_text("The server cannot be reached. Is it running?")
    page.assert_accessible()
    page.notices.get_by_role("button", name="Dismiss").click()
    with page.tab.expect_request("**/api/v1/info"):
        pass
    with page.tab.expect_request("**/api/v1/info"):
        pass
    expect(page.notices).to_have_count(0)
    context.unroute("**/api/v1/info")
    page.expect_state("Ready")


@pytest.mark.parametrize(
    ("body", "says"),
    [(None, "The server cannot be reached"), (ENDING, "The server is about to restart")],
    ids=["gone", "ending"],
)
def test_a_connection_that_fails_is_explained_for_this_page(
    standin: Server,
    open_page: Open,
    context: BrowserContext,
    body: dict[str, object] | None,
    says: str,
) -> None:
    page = open_page(address(standin), allowed="ERR_FAILED|503|404|WebSocket connection to")
    if body is None:
        context.route("**/api/v1/*", lambda route: route.abort())
    else:
        answers_ready(context, body)
    cannot_connect(page)
    page.button.click()
    expect(page.notices).to_contain_text(says)
    expect(page.notices).not_to_contain_text("not Streamer")
    expect(page.notices).not_to_contain_text("access.origins")


DRAG = """([name, kind]) => {
    const dataTransfer = new DataTransfer();
    if (kind === 'file') dataTransfer.items.add(new File(['a'], 'a.wav'));
    else dataTransfer.setData('text/plain', 'Cosette');
    const event = new DragEvent(name, { dataTransfer, bubbles: true, cancelable: true });
    return document.body.dispatchEvent(event);
}"""


@pytest.mark.parametrize("width", [390, 1366])
def test_nothing_is_above_the_place_for_a_dropped_file(
    standin: Server, open_page: Open, width: int
) -> None:
    page = open_page(address(standin))
    page.tab.set_viewport_size({"width": width, "height": 650})
    page.tab.evaluate(DRAG, ["dragover", "file"])
    expect(page.tab.locator("body")).to_have_class("dropping")
    top = """(element) => {
        const { top, bottom, left, right } = element.getBoundingClientRect();
        return document.elementFromPoint((left + right) / 2, (top + bottom) / 2).tagName;
    }"""
    assert page.button.evaluate(top) == "BODY"


def test_text_that_is_dragged_is_left_to_the_fields(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    for name in ("dragover", "drop"):
        assert page.tab.evaluate(DRAG, [name, "text"]), "the page prevents what a field does"
    expect(page.tab.locator("body")).not_to_have_class("dropping")
    assert not page.tab.evaluate(DRAG, ["dragover", "file"])


def test_a_page_that_may_not_use_the_microphone_says_so_once(
    standin: Server, open_page: Open, context: BrowserContext
) -> None:
    context.add_init_script("delete Navigator.prototype.mediaDevices")
    page = open_page(address(standin))
    page.button.click()
    text = page.notices.inner_text()
    assert text.lower().count("browsers give the microphone only to pages over https") == 1
    expect(page.tab.locator("#empty-text")).to_contain_text("Press Start")


# Waits that end a connection attempt or a request are ten times shorter.
SHORT_WAITS = """
    const [wait, limit] = [setTimeout, AbortSignal.timeout];
    window.setTimeout = (act, ms, ...rest) => wait(act, ms === 10_000 ? 1000 : ms, ...rest);
    AbortSignal.timeout = (ms) => limit.call(AbortSignal, ms / 10);
"""


@pytest.fixture
def silent_port() -> Generator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.parametrize("is_blocked", [False, True], ids=["silent", "blocked"])
def test_a_server_that_does_not_answer_is_not_reachable(
    standin: Server, browser: Browser, silent_port: int, is_blocked: bool
) -> None:
    # The page's policy blocks the other port. Of that, Chromium reports no end of the connection.
    with browser.new_context(permissions=["microphone"], bypass_csp=not is_blocked) as context:
        context.set_default_timeout(TIMEOUT_S * 1000)
        context.add_init_script(SHORT_WAITS)
        page = Page(context.new_page(), address(standin), allowed="WebSocket|Connecting|Fetch")
        page.tab.evaluate(
            """(port) => {
                const moved = (url) => String(new URL(url, location)).replace(/:\\d+/, `:${port}`);
                const [Real, request] = [WebSocket, fetch];
                window.WebSocket = class extends Real { constructor(url) { super(moved(url)); } };
                const mode = 'no-cors';
                window.fetch = (url, options) => request(moved(url), { ...options, mode });
            }""",
            silent_port,
        )
        page.button.click()
        page.expect_state("Not reachable")
        expect(page.notices).to_contain_text("The server cannot be reached")
        expect(page.button).to_have_text("Start")
        page.close()


def test_without_javascript_there_is_one_sentence(standin: Server, browser: Browser) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        tab = context.new_page()
        tab.set_viewport_size({"width": 390, "height": 844})
        tab.goto(address(standin))
        link = tab.get_by_role("link", name="api/v1/info")
        expect(tab.get_by_role("region", name="JavaScript")).to_contain_text("needs JavaScript")
        text = tab.locator("noscript p")
        (box, place) = (text.bounding_box(), link.bounding_box())
        assert box is not None
        assert place is not None
        # Inline, in the last line of the sentence.
        assert place["y"] > box["y"] + box["height"] / 3
        assert box["x"] <= place["x"] <= box["x"] + box["width"] / 2


SHIFTS = """
    window.shifted = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) shifted += entry.value;
    }).observe({ type: 'layout-shift', buffered: true });
"""


def test_nothing_jumps_while_the_page_loads(
    standin: Server, open_page: Open, context: BrowserContext
) -> None:
    def later(route: Route) -> None:
        page.wait_for_timeout(300)
        route.continue_()

    context.add_init_script(SHIFTS)
    page = context.new_page()
    page.set_viewport_size({"width": 1366, "height": 650})
    page.route("**/app.js", later)
    page.goto(address(standin))
    expect(page.locator("#state-text")).to_have_text("Ready")
    page.wait_for_function("() => document.querySelectorAll('.lane').length === 1")
    assert page.evaluate("shifted") < 0.01


def test_what_is_chosen_is_shown_with_forced_colours(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    page.tab.emulate_media(forced_colors="active")
    page.choose("source", "file")
    outline = "(element) => getComputedStyle(element).outlineStyle"
    chosen = page.tab.locator("#source input:checked + span")
    others = page.tab.locator("#source input:not(:checked) + span")
    assert chosen.evaluate(outline) == "solid"
    assert {other.evaluate(outline) for other in others.all()} == {"none"}
    expect(page.tab.locator("#real-time")).to_have_css("appearance", "auto")
    expect(page.button).to_have_css("border-top-style", "solid")
    for scheme in SCHEMES:
        page.tab.emulate_media(forced_colors="active", color_scheme=scheme)
        page.assert_accessible()
