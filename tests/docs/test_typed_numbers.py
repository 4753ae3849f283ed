"""Sizes and durations in the pages: each has a command that writes it, or is a limit.

A size that a benchmark or `make installation-size` has measured is a link to its file
(`tools/docs/figures.py`). How long a command takes depends on the machine, so no page says it.
"""

import re
from pathlib import Path

import pytest

from tests.docs.test_docs import PAGES, ROOT
from tools.docs.figures import FIGURE

SIZE = re.compile(r"(?<![\w.])\d[\d.]* (?:MB|GB)\b")
DURATION = re.compile(r"(?:\d+|an?|half an) (?:minutes?|hours?)\b")

LIMITS = {
    "CHANGELOG.md": "15 MB, 400 MB",  # `client_size` and `make image-size` fail above
    "browser.md": "20 MB",  # of the page's storage
    "inference.md": "2 MB, 17 MB, 50 MB",  # computed from the configuration, as the page says
    "operations.md": "400 MB",  # `make image-size` fails above
    "reliability.md": "4 MB",  # of the kernels' buffers
}
"""By page: sizes that are limits and not results."""

GUIDES = [page for page in PAGES if page.parent != ROOT / "docs/book"]


def typed_sizes(text: str) -> set[str]:
    """Sizes in a text that are not figures, and not in tables and code."""
    text = re.sub(r"^```.*?^```|^\|.*?$", "", text, flags=re.MULTILINE | re.DOTALL)
    return set(SIZE.findall(FIGURE.sub("", text)))


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_a_size_is_a_figure_or_a_limit(page: Path) -> None:
    assert typed_sizes(page.read_text()) <= set(LIMITS.get(page.name, "").split(", "))


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_no_page_says_how_long_a_command_takes(page: Path) -> None:
    sentences = re.split(r"(?<=[.:]) |\n\n|\n(?=[-|] ?)", page.read_text())
    timed = [s for s in sentences if "`make " in s and " take" in s and DURATION.search(s)]
    assert timed == []


def test_the_makefile_says_what_is_long_and_not_how_long() -> None:
    helps = re.findall(r"^[a-z-]+:.*## (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert helps
    assert [each for each in helps if DURATION.search(each) or SIZE.search(each)] == []


def test_a_typed_size_is_found() -> None:
    figure = '[470](performance/installation.json "figure rows: for=running: packages, MB") MB'
    assert typed_sizes(f"It takes 12 MB.\n{figure}\n| 3 MB |\n```console\n4 MB\n```\n") == {"12 MB"}
