"""Break a segmenter in eight ways: which breaks does each kind of test find?"""

import importlib.util
import random
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.book.test_segmenter import the_servers

SOURCE = Path("tests/book/solutions/segmenter.py").read_text()
MUTANTS = (
    ("confirmed = voiced >= settings.min_speech", "confirmed = voiced > settings.min_speech"),
    ("index + 1 - last >= patience", "index + 1 - last > patience"),
    ("max(first - settings.prefix, floor)", "max(first - settings.prefix, 0)"),
    ("min(last + settings.suffix, position)", "last + settings.suffix"),
    ("first, voiced = index, 0", "first = index"),
    ("last, voiced = index + 1, voiced + 1", "last, voiced = index + 1, index + 1 - first"),
    ("else settings.min_speech\n", "else settings.min_silence\n"),
    ("if first is not None and voiced >= settings.min_speech:", "if first is not None:"),
)


def module(source: str) -> ModuleType:
    """A module of this source."""
    made = importlib.util.module_from_spec(importlib.util.spec_from_loader("mutant", None))
    sys.modules["mutant"] = made
    exec(compile(source, "mutant", "exec"), made.__dict__)
    return made


def windows(picture: str) -> list[bool]:
    """`#` is speech."""
    return [character == "#" for character in picture]


def one_example(mutant: Any) -> bool:
    """A typical test: one utterance in the middle."""
    settings = mutant.Settings(2, 3, 2, 1)
    return mutant.segments(windows("....####......"), settings) == [(2, 9)]


def pictures(mutant: Any) -> bool:
    """Nine examples, each at a boundary."""
    settings = mutant.Settings(2, 3, 2, 1)
    expected = {
        "...####......": [(1, 8)],
        "##......": [(0, 3)],
        "...#......": [],
        "...#.#....": [(1, 7)],
        "##..##...": [(0, 7)],
        "##...##...": [(0, 3), (3, 8)],
        "##....##...": [(0, 3), (4, 9)],
        "...##": [(1, 5)],
        "##...#": [(0, 3)],
    }
    return all(mutant.segments(windows(text), settings) == what for text, what in expected.items())


def properties(mutant: Any) -> bool:
    """Random windows: segments are in order, inside the stream, and hold what they must."""
    chance = random.Random(1)
    for _ in range(2_000):
        speech = [chance.random() < 0.4 for _ in range(chance.randrange(30))]
        settings = mutant.Settings(chance.randint(1, 3), chance.randint(3, 5), 2, 2)
        found = mutant.segments(speech, settings)
        if any(end > begin for (_, end), (begin, _) in pairwise(found)):
            return False
        if any(not 0 <= start < end <= len(speech) for start, end in found):
            return False
        if any(sum(speech[start:end]) < settings.min_speech for start, end in found):
            return False
    return True


def oracle(mutant: Any) -> bool:
    """Random windows: the segments are those of the server's own segmenter."""
    chance = random.Random(2)
    for _ in range(500):
        speech = [chance.random() < 0.4 for _ in range(chance.randrange(30))]
        asked = chance.randint(1, 3), chance.randint(3, 5), 2, 2
        if mutant.segments(speech, mutant.Settings(*asked)) != the_servers(speech, asked):
            return False
    return True


TESTS: dict[str, Callable[[Any], bool]] = {
    "one example": one_example,
    "nine pictures": pictures,
    "three properties": properties,
    "another segmenter": oracle,
}
correct = module(SOURCE)
for name, test in TESTS.items():
    assert test(correct), name
    assert all(SOURCE.count(before) == 1 for before, _ in MUTANTS)
    found = [not test(module(SOURCE.replace(before, after))) for before, after in MUTANTS]
    marks = " ".join("x" if each else "." for each in found)
    print(f"{name:17} finds {sum(found)} of {len(MUTANTS)}: {marks}")
both = [
    not (pictures(mutant) and properties(mutant))
    for mutant in (module(SOURCE.replace(before, after)) for before, after in MUTANTS)
]
print(f"pictures and properties find {sum(both)} of {len(MUTANTS)}")
