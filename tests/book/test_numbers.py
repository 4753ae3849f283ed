"""Every number in the text of the book has a source.

A figure of a benchmark is a link to its file (`tools/docs/figures.py`). Any other number is in what
the page shows (programs, code, tables), in the configuration, or in the message of a commit that
the paragraph names; or the paragraph says that it was measured once. `GIVEN` has what is left:
numbers that are not results.
"""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.book.test_book import ADDRESS, CHAPTERS, ROOT
from tools.docs.figures import FIGURE
from tools.docs.site.quote import QUOTE, quoted

NUMBER = re.compile(r"(?<![\w.])\d+(?:[ _]\d{3})*(?:\.\d+)?(?!\w)")
NAMED = re.compile(r"commits?,? ((?:(?:, | and )?\*[^*]+\*)+)")
ONCE = "measured once"

GIVEN = {
    1: "0.4 0.8 608",  # estimates, windows of 32 ms
    2: "12.3 32768 44.1 48",  # examples, rates, the full scale of 16 bits
    3: "0 9 13 23 32767 641",  # kHz, codes of characters, a scale, an example
    5: "15 16",  # dB of `vad/gain.py`, bits
    6: "16 24 255",  # bits, ms of a state, the largest uint8
    8: "1.3 9",  # MB: 20 s of float32 at 16 kHz; a signal
    9: "100 503",  # all of it; a status
    12: "16 1012",  # kHz, a close code
}
"""Of each chapter: numbers that are not results."""

SMALL = frozenset(["0", "1", "2", "3", "4", "5", "6"])
"""They count things that are in view."""


def numbers(text: str) -> set[str]:
    """All numbers, without separators and without zeros at the end of decimals."""
    return {_plain(found) for found in NUMBER.findall(text)}


def _plain(number: str) -> str:
    number = re.sub(r"[ _]", "", number)
    return number.rstrip("0").rstrip(".") if "." in number else number


@cache
def messages() -> dict[str, str]:
    """The message of each commit by its first line; empty without the whole history."""
    git = shutil.which("git")
    command = [git or "git", "-C", str(ROOT)]
    shallow = [*command, "rev-parse", "--is-shallow-repository"]
    if git is None or subprocess.run(shallow, capture_output=True, text=True).stdout != "false\n":
        return {}
    log = [*command, "log", "--format=%B%x00"]
    bodies = subprocess.run(log, capture_output=True, text=True, check=True).stdout.split("\0")
    return {body.strip().partition("\n")[0]: body for body in bodies}


def shown(chapter: Path) -> set[str]:
    """The numbers of a chapter's blocks and quotes, and of the configuration."""
    text = chapter.read_text()
    blocks = re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL)
    quotes = [quoted(chapter.parent / q["path"], q["what"]).text for q in QUOTE.finditer(text)]
    parts = [*blocks, *quotes, (ROOT / "config.json").read_text()]
    # Beside a letter, too, as in `-32.6dB`, and with the zeros of `608.0`.
    return set().union(*map(numbers, parts)) | {
        _plain(found) for part in parts for found in re.findall(r"\d[\d_]*(?:\.\d+)?", part)
    }


def paragraphs(chapter: Path) -> list[str]:
    """The text without headings, tables, code, quotes and figures, up to the exercises."""
    text = chapter.read_text().partition("\n## Exercises\n")[0]
    text = re.sub(r"^```.*?^```|`[^`]*`", "", text, flags=re.MULTILINE | re.DOTALL)
    text = ADDRESS.sub("]", FIGURE.sub("", QUOTE.sub("", text)))
    text = re.sub(r"[Cc]hapters?\s+\d+|^\d+\. ", "", text, flags=re.MULTILINE)
    parts = re.split(r"\n\n|\n(?=[-*] )", text)
    return [" ".join(part.split()) for part in parts if not part.startswith(("#", "|", "!", "["))]


def subjects(text: str) -> list[str]:
    """The beginnings of the first lines of the commits that a text names."""
    return [name for found in NAMED.findall(text) for name in re.findall(r"\*([^*]+)\*", found)]


every_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)


@every_chapter
def test_every_number_has_a_source(chapter: Path) -> None:
    given = GIVEN.get(int(chapter.stem.partition("-")[0]), "").split()
    known = shown(chapter) | SMALL | set(given)
    commits = messages()
    for text in paragraphs(chapter):
        named = [
            name for found in NAMED.findall(text) for name in re.findall(r"\*([^*]+)\*", found)
        ]
        if ONCE in text or (named and not commits):
            continue
        said = [body for first, body in commits.items() if first.startswith(tuple(named))]
        unknown = numbers(text) - known - set().union(*map(numbers, said))
        assert not unknown, text


@every_chapter
def test_every_commit_that_is_named_exists(chapter: Path) -> None:
    """By the beginning of its first line."""
    commits = messages()
    if not commits:
        pytest.skip("the whole history of the repository is not here")
    text = " ".join(chapter.read_text().split())
    unknown = [
        name for name in subjects(text) if not any(first.startswith(name) for first in commits)
    ]
    assert unknown == []


def test_a_number_without_a_source_is_found(tmp_path: Path) -> None:
    chapter = tmp_path / "1-x.md"
    chapter.write_text("It takes 47 ms, and 600.\n\n```console\n$ x\n1 234.50\n```\n\nSo 1234.5.\n")
    unknown = [numbers(text) - shown(chapter) for text in paragraphs(chapter)]
    assert unknown[0] == {"47"}
    assert not any(unknown[1:])
