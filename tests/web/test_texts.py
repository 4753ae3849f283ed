"""Texts, names and values of any length, in any script."""

import json
from pathlib import Path

import numpy as np
from playwright.sync_api import expect

from tests.end_to_end.conftest import Launch
from tests.web.audio_files import wav
from tests.web.conftest import Open
from tests.web.page import address
from tests.web.test_layout import SIZES, Size, resize
from tests.web.test_takes import PUT, reload, take_record
from tools.harness.process import Server

ARABIC = "وصلت السفينة في الساعة 8:30."

LONG_NAMES = """
from streamer import Model


class LongNames(Model):
    def infer(self, samples):
        return {"a_name_without_any_space_" * 4: 0.5, "label": "words " * 30, "x" * 80: "y" * 80}
"""

MANY = """
from streamer import Model


class Many(Model):
    def infer(self, samples):
        return {f"value {n}": n / 10 for n in range(10)}
"""

SPREADING = """
from streamer import Model


class Spreading(Model):
    def infer(self, samples):
        return {"my score": 3.0 if samples.any() else 0.5, "other score": 0.2}
"""


def test_each_text_has_the_direction_of_its_script(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    arabic = take_record(1, text=ARABIC)
    arabic["json"] = arabic["json"].replace("Take 1", ARABIC)
    page.tab.evaluate(PUT, [arabic, take_record(2, text="The ferry came at 8:30.")])
    reload(page)
    page.takes.first.locator(".toggle").click()
    for take, direction in ((0, "rtl"), (1, "ltr")):
        expect(page.takes.nth(take).locator(".said")).to_have_css("direction", direction)
        expect(page.takes.nth(take).locator(".take-name")).to_have_css("direction", direction)


@SIZES
def test_names_and_values_of_any_length_fit_into_the_window(
    launch: Launch, open_page: Open, tmp_path: Path, size: Size
) -> None:
    (tmp_path / "long_names.py").write_text(LONG_NAMES)
    config = {"model": {"type": "long_names:LongNames"}, "simple": {"chunk_seconds": 1}}
    (tmp_path / "streamer.json").write_text(json.dumps(config))
    page = open_page(address(launch(None, "--config", str(tmp_path / "streamer.json"))))
    resize(page, size)
    page.stream_at_once("a" * 100 + ".wav", wav(np.zeros(16_000), sample_rate=16_000))
    expect(page.tab.locator(".legend li")).to_have_count(1)
    page.assert_accessible()


def test_a_series_with_a_space_in_its_name_is_in_one_chart(
    launch: Launch, open_page: Open, tmp_path: Path
) -> None:
    (tmp_path / "spreading.py").write_text(SPREADING)
    config = {"model": {"type": "spreading:Spreading"}, "simple": {"chunk_seconds": 1}}
    (tmp_path / "streamer.json").write_text(json.dumps(config))
    page = open_page(address(launch(None, "--config", str(tmp_path / "streamer.json"))))
    page.choose("endpoint", "simple")
    legends = page.tab.locator(".legend li")
    loud = np.concatenate([np.zeros(32_000), np.full(32_000, 0.1)])
    page.give("loud.wav", wav(loud, sample_rate=16_000))
    page.button.click()
    expect(page.tab.locator(".panel")).to_have_count(1)
    expect(page.tab.locator(".panel")).to_have_count(2)
    expect(legends).to_have_text(["other score 0.2", "my score 3"])
    page.expect_state("Ready")
    expect(legends).to_have_count(2)


def test_a_chart_of_more_values_than_colours_says_which_have_no_line(
    launch: Launch, open_page: Open, tmp_path: Path
) -> None:
    (tmp_path / "many.py").write_text(MANY)
    config = {"model": {"type": "many:Many"}, "simple": {"chunk_seconds": 1}}
    (tmp_path / "streamer.json").write_text(json.dumps(config))
    page = open_page(address(launch(None, "--config", str(tmp_path / "streamer.json"))))
    page.stream_at_once("a.wav", wav(np.zeros(16_000), sample_rate=16_000))
    legend = page.tab.locator(".legend li")
    expect(legend).to_have_count(11)
    expect(legend.nth(8)).to_have_text("Values without a line: 2")
    expect(page.tab.locator(".legend .swatch")).to_have_count(8)
    page.assert_accessible()


def test_the_charts_of_two_channels_are_named(standin: Server, open_page: Open) -> None:
    page = open_page(address(standin))
    titles = page.tab.locator(".panel .hint")
    page.stream_at_once("mono.wav", wav(np.zeros(16_000), sample_rate=16_000))
    expect(titles).to_be_hidden()
    page.stream_at_once("both.wav", wav(np.zeros(16_000), np.zeros(16_000), sample_rate=16_000))
    expect(titles).to_have_text(["Channel 1", "Channel 2"])
    for title in titles.all():
        expect(title).to_be_visible()
