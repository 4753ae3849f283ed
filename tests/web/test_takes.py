"""Takes: nothing that was said goes away, unless a person removes it."""

import json
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, expect

from tests.web.audio_files import wav
from tests.web.conftest import Open
from tests.web.page import Page, address
from tools.harness.process import Server

SHORT = wav(np.zeros(16_000), sample_rate=16_000)
"""One second, which is four chunks."""

PUT = """(records) => new Promise((resolve, reject) => {
    const open = indexedDB.open('streamer', 1);
    open.onerror = () => reject(open.error);
    open.onsuccess = () => {
        const changes = open.result.transaction('takes', 'readwrite');
        for (const record of records) changes.objectStore('takes').put(record);
        changes.oncomplete = () => resolve(open.result.close());
    };
})"""

STORED = """() => new Promise((resolve) => {
    const open = indexedDB.open('streamer', 1);
    open.onsuccess = () => {
        const read = open.result.transaction('takes').objectStore('takes').getAll();
        read.onsuccess = () => resolve((open.result.close(), read.result));
    };
})"""


def stored(page: Page) -> list[dict[str, str]]:
    records: list[dict[str, str]] = page.tab.evaluate(STORED)
    return records


def is_stored(page: Page, count: int) -> None:
    """Wait until so many takes are in the storage."""
    page.tab.wait_for_function(f"async () => (await ({STORED})()).length === {count}")


def take_record(number: int, *, text: str = "x") -> dict[str, str]:
    """A take as an earlier visit has left it."""
    entry = {"id": 1, "channel": 0, "state": "final", "start": 0, "end": 1, "flushed": False}
    take = {
        "id": f"{number:032x}",
        "name": f"Take {number}",
        "source": "microphone",
        "startedAt": f"2026-01-01T00:{number // 60:02}:{number % 60:02}.000Z",
        "model": "standin",
        "channels": 1,
        "traceIds": [],
        "seconds": 1,
        "entries": [{**entry, "output": {"text": text}, "latency": {}}],
        "gaps": [],
        "isOver": True,
    }
    return {"id": f"{number:032x}", "json": json.dumps(take)}


def reload(page: Page) -> None:
    page.tab.reload()
    page.expect_state("Ready")


def test_start_begins_another_take_below_the_last_one(
    standin: Server, open_page: Open, tmp_path: Path
) -> None:
    page = open_page(address(standin))
    page.stream_at_once("a.wav", SHORT)
    first = page.takes.first.inner_text()
    page.stream_at_once("a.wav", SHORT)
    page.choose("source", "microphone")
    page.start()
    expect(page.takes.nth(2).locator(".entry").first).to_be_visible()
    page.stop()
    assert page.names() == ["a.wav", "a.wav (2)", "Take 1"]
    assert page.takes.first.locator(".entry").all_inner_texts() != []
    assert page.takes.first.locator(".said").all_inner_texts()[0] in first

    together = json.loads(page.export("json", tmp_path))
    names = [(take["name"], take["source"]) for take in together["takes"]]
    assert names == [("a.wav", "file"), ("a.wav (2)", "file"), ("Take 1", "microphone")]
    assert [len(take["segments"]) for take in together["takes"]][:2] == [4, 4]
    assert page.export("vtt", tmp_path).count("NOTE ") == 3
    with page.tab.expect_download() as download:
        page.takes.nth(1).locator('[data-take-export="json"]').click()
    assert download.value.suggested_filename == "a.wav 2.json"
    alone = json.loads(Path(download.value.path()).read_text())
    assert (alone["name"], len(alone["segments"])) == ("a.wav (2)", 4)


def test_the_first_takes_audio_can_be_played_while_the_second_is_made(
    standin: Server, open_page: Open
) -> None:
    page = open_page(address(standin))
    long = wav(np.zeros(160_000), sample_rate=16_000)
    page.choose("endpoint", "simple")
    page.give("a.wav", long)
    page.start()
    page.stop()
    page.start()
    expect(page.takes).to_have_count(2)
    play = page.takes.first.locator(".play").first
    play.click()
    expect(page.tab.locator("#playing-text")).to_contain_text("Playing “a.wav”")
    page.stop()


def test_takes_survive_a_reload_without_their_audio(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    page.stream_at_once("a.wav", SHORT)
    said = page.takes.locator(".said").all_inner_texts()
    name = page.takes.locator(".take-name")
    name.fill("  Board   meeting ")
    name.press("Enter")
    expect(name).to_have_value("Board meeting")
    page.tab.wait_for_function(
        f"async () => (await ({STORED})())[0].json.includes('Board meeting')"
    )
    reload(page)
    expect(name).to_have_value("Board meeting")
    expect(page.takes.locator(".said")).to_have_text(said)
    assert page.takes.locator(".play").count() == 0
    expect(page.tab.locator("#kept")).to_contain_text("kept in this browser")
    expect(page.tab.locator("#kept")).to_contain_text("Audio is not stored")
    expect(page.takes).to_contain_text("without audio")
    name.fill("")
    name.press("Enter")
    expect(name).to_have_value("Board meeting")
    page.stream_at_once("b.wav", SHORT)
    assert page.names() == ["Board meeting", "b.wav"]


def test_what_was_said_before_a_crash_is_there_afterwards(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    page.choose("endpoint", "simple")
    page.start()
    expect(page.entries().nth(2)).to_be_visible()
    is_stored(page, 1)
    reload(page)
    expect(page.entries().first).to_be_visible()
    expect(page.takes.get_by_text("Remove")).to_be_enabled()


def test_a_take_is_removed_only_by_asking_and_comes_back(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    page.stream_at_once("a.wav", SHORT)
    page.stream_at_once("b.wav", SHORT)
    remove = page.takes.first.get_by_role("button", name="Remove a.wav")
    remove.click()
    page.assert_accessible()
    page.takes.first.get_by_role("button", name="Keep it").click()
    expect(remove).to_be_focused()
    assert page.names() == ["a.wav", "b.wav"]
    remove.click()
    page.takes.first.get_by_role("button", name="Remove it").click()
    expect(page.takes).to_have_count(1)
    is_stored(page, 1)
    expect(page.notices).to_contain_text("“a.wav” was removed.")
    page.notices.get_by_role("button", name="Undo").click()
    assert page.names() == ["a.wav", "b.wav"]
    expect(page.takes.first.locator(".entry")).to_have_count(4)
    is_stored(page, 2)
    reload(page)
    assert page.names() == ["a.wav", "b.wav"]


def test_all_takes_are_forgotten_only_by_asking(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    forget = page.tab.locator("#forget")
    expect(forget).to_be_hidden()
    page.stream_at_once("a.wav", SHORT)
    forget.click()
    page.tab.get_by_role("button", name="Keep them").click()
    expect(page.takes).to_have_count(1)
    forget.click()
    page.tab.get_by_role("button", name="Forget them").click()
    expect(page.takes).to_have_count(0)
    is_stored(page, 0)
    page.notices.get_by_role("button", name="Undo").click()
    expect(page.takes).to_have_count(1)
    is_stored(page, 1)
    forget.click()
    page.tab.get_by_role("button", name="Forget them").click()
    is_stored(page, 0)
    reload(page)
    expect(page.takes).to_have_count(0)
    expect(page.tab.locator("#empty")).to_be_visible()


def test_a_run_without_results_leaves_no_take(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    page.stream_at_once("silence.wav", SHORT, "segmented")
    expect(page.takes).to_contain_text("No results in this take.")
    page.stream_at_once("a.wav", SHORT)
    assert page.names() == ["a.wav"]
    reload(page)
    assert page.names() == ["a.wav"]


def test_two_tabs_keep_each_others_takes(standin: Server, open_page: Open) -> None:
    one, two = open_page(address(standin)), open_page(address(standin))
    one.choose("endpoint", "simple")
    one.start()
    expect(one.entries().first).to_be_visible()
    two.stream_at_once("b.wav", SHORT)
    expect(one.takes).to_have_count(2)
    is_stored(one, 2)
    late = open_page(address(standin))
    assert late.names() == ["b.wav"], "the other take is still being made"
    late.tab.locator("#forget").click()
    late.tab.get_by_role("button", name="Forget them").click()
    expect(two.takes).to_have_count(0)
    expect(one.takes).to_have_count(1)
    count = one.entries().count()
    expect(one.entries().nth(count)).to_be_visible()
    one.stop()
    for page in (two, late):
        expect(page.takes).to_have_count(1)
        expect(page.entries()).to_have_count(one.entries().count())
    two.takes.get_by_role("button", name="Remove Take 1").click()
    two.takes.get_by_role("button", name="Remove it").click()
    expect(one.takes).to_have_count(0)
    is_stored(one, 0)


def test_what_cannot_be_read_is_said_and_harms_nothing(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    wrong = [
        {"id": "a", "json": "{"},
        {"id": "b"},
        {"id": "c", "json": json.dumps({"id": "c", "entries": "<b>"})},
        {"id": "d", "json": take_record(1)["json"]},
    ]
    page.tab.evaluate(PUT, [*wrong, take_record(2)])
    reload(page)
    assert page.names() == ["Take 2"]
    expect(page.notices).to_contain_text("4 stored takes cannot be read.")
    page.stream_at_once("a.wav", SHORT)
    is_stored(page, 6)
    page.notices.get_by_role("button", name="Remove from the storage").click()
    is_stored(page, 2)
    reload(page)
    assert page.names() == ["Take 2", "a.wav"]
    expect(page.notices).to_have_count(0)


@pytest.mark.parametrize(
    "spoil",
    [
        "indexedDB.open = () => { throw new DOMException('', 'SecurityError'); };",
        "Object.defineProperty(window, 'indexedDB', { value: undefined });",
        "IDBObjectStore.prototype.put = () => { throw new DOMException('', 'UnknownError'); };",
    ],
    ids=["forbidden", "absent", "broken"],
)
def test_without_storage_the_page_works_and_says_so(
    standin: Server, open_page: Open, context: BrowserContext, spoil: str
) -> None:
    context.add_init_script(spoil)
    page = open_page(address(standin))
    page.stream_at_once("a.wav", SHORT)
    page.stream_at_once("b.wav", SHORT)
    assert page.names() == ["a.wav", "b.wav"]
    expect(page.tab.locator("#kept")).to_contain_text("does not store takes for this page")


def test_full_storage_is_said_before_anything_goes(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    page.tab.evaluate(PUT, [take_record(number) for number in range(1, 50)])
    reload(page)
    expect(page.takes).to_have_count(49)
    expect(page.notices).to_have_count(0)
    page.stream_at_once("a.wav", SHORT)
    expect(page.takes).to_have_count(50)
    expect(page.notices).to_contain_text("The oldest, “Take 1”, will be removed when the next")
    page.stream_at_once("b.wav", SHORT)
    expect(page.takes).to_have_count(50)
    assert page.names()[0] == "Take 2"
    is_stored(page, 50)
    # What was said about the first take is over, and then also that of the second.
    expect(page.notices).to_have_count(1)
    expect(page.notices).to_contain_text("The oldest, “Take 2”, will be removed when the next")
    page.takes.nth(1).get_by_role("button", name="Remove Take 3").click()
    page.takes.nth(1).get_by_role("button", name="Remove it").click()
    expect(page.notices).to_have_count(1)
    expect(page.notices).to_contain_text("“Take 3” was removed.")
    page.stream_at_once("c.wav", SHORT)
    expect(page.notices.last).to_contain_text("The oldest, “Take 2”, will be removed when the next")
    assert page.names()[0] == "Take 2"


def test_many_bytes_are_too_many_takes_too(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    large = take_record(1, text="word " * 4_500_000)
    page.tab.evaluate(PUT, [large, take_record(2)])
    reload(page)
    expect(page.notices).to_contain_text("The oldest, “Take 1”, will be removed")
    page.stream_at_once("a.wav", SHORT)
    assert page.names() == ["Take 2", "a.wav"]


def test_no_room_in_the_browser_is_said_once(
    standin: Server, open_page: Open, context: BrowserContext
) -> None:
    full = "() => { throw new DOMException('', 'QuotaExceededError'); }"
    context.add_init_script(f"IDBObjectStore.prototype.put = {full};")
    page = open_page(address(standin))
    page.stream_at_once("a.wav", SHORT)
    expect(page.notices).to_have_count(1)
    expect(page.notices).to_contain_text("“a.wav” is not kept: the browser’s storage is full")
    assert page.names() == ["a.wav"]


def test_the_name_of_a_take_is_never_markup(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    evil = take_record(1, text="<img src=x onerror=alert(1)>")
    evil["json"] = evil["json"].replace("Take 1", "<img src=x onerror=alert(2)>")
    page.tab.evaluate(PUT, [evil])
    reload(page)
    expect(page.takes.locator(".said")).to_have_text("<img src=x onerror=alert(1)>")
    assert page.tab.locator("img").count() == 0
