"""Figures in the text of pages are those of the published results."""

import json
from pathlib import Path

import pytest

from tests.docs.test_docs import PAGES
from tools.docs.figures import FIGURE, NoSuchFigureError, rewritten, value

RESULTS = {
    "live": [
        {"streams": 32, "interims": False, "p95, ms/s": 592.4},
        {"streams": 32, "interims": True, "p95, ms/s": 649.0},
    ],
    "model": {"cost": 13.6, "words": {"mean": 10.32, "standard error": 0.2}},
    "tests": [{"name": "chaos", "numbers": {"eight channels: MiB": 36}}],
}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    path = tmp_path / "bench.json"
    path.write_text(json.dumps(RESULTS))
    return path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_the_figures_of_a_page_are_the_published_ones(page: Path) -> None:
    now = rewritten(page.read_text(), page.parent)
    assert now.broken == []
    assert now.text == page.read_text(), "make bench-publish writes them anew"


def test_the_book_and_the_readme_have_figures() -> None:
    with_figures = {page.name for page in PAGES if FIGURE.search(page.read_text())}
    assert {"README.md", "1-what-such-a-system-is.md", "6-the-model.md"} <= with_figures


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("live: streams=32; interims=no: p95, ms/s", 592.4),
        ("{live: streams=32; interims=yes: p95, ms/s} / 2 - 1", 323.5),
        ("model: words", 10.32),
        ("model: words: standard error", 0.2),
        ("tests: name=chaos: numbers: eight channels: MiB", 36),
        ("tests: numbers: eight channels: MiB", 36),
        ("-({model: cost} + 1.4) * 2", -30),
    ],
)
def test_a_reference_leads_to_its_number(results: Path, expression: str, expected: float) -> None:
    assert value(results, expression) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("live: streams=32: p95, ms/s", "2 rows with 'streams=32', not one"),
        ("live: p95, ms/s", "2 rows, not one"),
        ("live: streams=64: p95, ms/s", "0 rows with 'streams=64', not one"),
        ("model: price", "no 'price'"),
        ("model", "not a number"),
        ("{model: cost} ** 2", "only numbers"),
        ("{model: cost} +", "cannot be computed"),
    ],
)
def test_a_wrong_reference_is_named(results: Path, expression: str, problem: str) -> None:
    with pytest.raises(NoSuchFigureError, match=problem.replace("*", r"\*")):
        value(results, expression)


def test_a_number_is_written_anew_with_its_decimals(results: Path) -> None:
    link = '(bench.json "figure model: cost")'
    page = f"It costs [12.0]{link} ms, or about [9]{link}."
    assert rewritten(page, results.parent).text == f"It costs [13.6]{link} ms, or about [14]{link}."


def test_a_claim_that_does_not_hold_any_more_is_named(results: Path) -> None:
    page = '[a quarter](bench.json "claim 0.2 to 0.3: {model: cost} / 100"), of it'
    assert rewritten(page, results.parent).broken == ["“a quarter” is 0.136, not 0.2 to 0.3: "
        "{model: cost} / 100"]  # fmt: skip
    held = page.replace("0.2 to", "0.1 to")
    assert rewritten(held, results.parent) == (held, [])
