"""The book shows what the code does: quotes, commands with their output, exercises with checks."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.book.exercise import FOLDER, HERE
from tools.docs.site.quote import QUOTE, quoted

ROOT = HERE.parents[1]
BOOK = ROOT / "docs/book"
CHAPTERS = sorted(BOOK.glob("[0-9]*.md"))
EXERCISES = sorted(path.stem for path in (HERE / "exercises").glob("[a-z]*.py"))

ADDRESS = re.compile(r"\]\([^)\s]+(?:\s+\"[^\"]*\")?\)")

every_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)


@pytest.mark.parametrize("page", sorted(BOOK.glob("*.md")), ids=lambda path: path.stem)
def test_every_quote_exists(page: Path) -> None:
    for quote in QUOTE.finditer(page.read_text()):
        assert quoted(page.parent / quote["path"], quote["what"]).text


@every_chapter
def test_code_is_quoted_and_never_copied(chapter: Path) -> None:
    languages = re.findall(r"^```(.*)\n(?:.*\n)*?```$", chapter.read_text(), re.MULTILINE)
    assert set(languages) <= {"console", "text"}
    assert QUOTE.search(chapter.read_text())


@every_chapter
def test_a_chapter_has_its_length(chapter: Path) -> None:
    """In words, without code, addresses and sources."""
    text = re.sub(r"```.*?```", "", chapter.read_text(), flags=re.DOTALL)
    text = ADDRESS.sub("]", text.partition("\n## Sources\n")[0])
    assert 1_500 <= len(re.findall(r"\w[\w’'-]*", text)) <= 2_500


def shown_commands() -> Iterator[tuple[str, str, str]]:
    """Each command in a block, with the page and the output that it is shown with."""
    for page in CHAPTERS:
        blocks = re.findall(r"^```console\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
        for block in blocks:
            commands = re.finditer(r"^\$ ", block, re.MULTILINE)
            begins = [*(found.start() for found in commands), len(block)]
            for begin, end in pairwise(begins):
                command, _, output = block[begin + 2 : end].partition("\n")
                yield page.stem, command, output


@pytest.mark.parametrize(("page", "command", "output"), list(shown_commands()))
def test_a_command_prints_what_is_shown(page: str, command: str, output: str) -> None:
    """A line with only `…` stands for any lines."""
    run = subprocess.run(
        ["bash", "-c", command.replace(".venv/bin/python", sys.executable)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'client'}"},
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")
    expected = "".join(
        r"(?:.*\n)*" if line == "…" else re.escape(line) + "\n" for line in output.splitlines()
    )
    assert re.fullmatch(expected, run.stdout), run.stdout


def test_every_program_is_shown() -> None:
    commands = "\n".join(command for _, command, _ in shown_commands())
    programs = [path.stem for path in (BOOK / "code").glob("*.py")]
    sources = "\n".join(path.read_text() for path in (BOOK / "code").glob("*.py"))
    shown = commands + sources  # some are imported by others
    assert [name for name in programs if f"docs.book.code.{name}" not in shown] == []


def exercises_of(text: str) -> list[str]:
    return re.findall(r"`make\s+exercise\s+NAME=(\w+)`", text)


@every_chapter
def test_a_chapter_ends_in_exercises(chapter: Path) -> None:
    text = chapter.read_text()
    names = exercises_of(text.partition("\n## Exercises\n")[2])
    assert 3 <= len(names) <= 5
    assert set(names) <= set(EXERCISES)
    assert "\n## Sources\n" in text


def test_every_exercise_is_in_the_book_and_complete() -> None:
    text = "\n".join(path.read_text() for path in CHAPTERS)
    assert sorted(exercises_of(text)) == EXERCISES
    for name in EXERCISES:
        assert (HERE / f"solutions/{name}.py").is_file()
        assert (HERE / f"test_{name}.py").is_file()


def test_no_check_passes_before_the_exercise_is_done(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    checks = [str(HERE / f"test_{name}.py") for name in EXERCISES]
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider",
         "--hypothesis-profile=beginnings", f"--junit-xml={report}", *checks],
        cwd=ROOT, env={**os.environ, FOLDER: str(HERE / "exercises")}, stdout=subprocess.DEVNULL,
        timeout=100, check=False,
    )  # fmt: skip
    cases = list(ET.parse(report).iter("testcase"))
    assert len(cases) >= 3 * len(EXERCISES)
    passed = [case.get("name") for case in cases if case.find("failure") is None]
    assert passed == []


def test_the_pictures_are_drawn_by_the_command() -> None:
    from tools.docs.book_pictures import PICTURES

    assert {path.name for path in (BOOK / "pictures").iterdir()} == set(PICTURES)
    text = "\n".join(path.read_text() for path in CHAPTERS)
    assert [name for name in PICTURES if f"(pictures/{name})" not in text] == []
