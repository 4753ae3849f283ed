"""Key terms in the prompts of OpenAI's clients."""

import re
from typing import SupportsIndex

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.config.key_terms import MAX_KEY_TERMS, KeyTerms
from streamer.http.prompts import ITEM_END, LONGEST_READ, SENTENCE_END, key_terms_of


@pytest.mark.parametrize(
    ("prompt", "terms"),
    [
        ("Beckett", ["Beckett"]),
        ("Kubernetes, Jean Valjean, etcd", ["Kubernetes", "Jean Valjean", "etcd"]),
        ("Kubernetes; etcd\nBank of England.", ["Kubernetes", "etcd", "Bank of England"]),
        ("ZyntriQix, Digique Plus, PULSE", ["ZyntriQix", "Digique Plus", "PULSE"]),
        ("東京、大阪, 京都", ["東京", "大阪", "京都"]),
        (
            "The transcript is about OpenAI, which makes DALL·E, GPT-3 and ChatGPT, in the hope of "
            "one day building an AGI system.",
            ["OpenAI", "DALL·E", "GPT-3", "ChatGPT", "AGI"],
        ),
        ("Hello, my name is Bob, and I work at Acme.", ["Bob", "Acme"]),
        ("The sister of Jean Valjean's friend is in New York.", ["Jean Valjean", "New York"]),
        ("Yesterday Bob came. Then I met Eve. It rained.", ["Yesterday Bob", "Bob", "Eve"]),
        ("My code runs on node.js and in C++ there.", ["node.js", "C++"]),
    ],
)
def test_names_and_unusual_words(prompt: str, terms: list[str]) -> None:
    assert key_terms_of(prompt) == terms


@pytest.mark.parametrize(
    "prompt", ["", "…", "This is a test of it.", "I think, therefore I am.", "ALL OF IT IS LOUD"]
)
def test_prompts_without_any(prompt: str) -> None:
    assert key_terms_of(prompt) == []


def test_the_last_ones_count() -> None:
    """As with OpenAI, whose models read the end of a prompt that is too long."""
    names = [f"Name{number}" for number in range(150)]
    assert key_terms_of(", ".join(names)) == names[-MAX_KEY_TERMS:]


@given(st.text() | st.text("Aa i,.;\n'’+"))
def test_whatever_a_prompt_is_its_terms_are_allowed(prompt: str) -> None:
    terms = key_terms_of(prompt)
    assert msgspec.convert(terms, KeyTerms) == tuple(dict.fromkeys(terms))


RUNS = ["." * 9, "a" + "." * 9, "?! " * 3, "The " * 3, "Ab " * 3, "a'" * 5, "A-" * 5 + "!", "x"]


@pytest.mark.parametrize("pattern", [ITEM_END, SENTENCE_END])
@pytest.mark.parametrize("text", [*RUNS, ". ", "…\n", "a.b"])
def test_a_separator_is_one_character(pattern: re.Pattern[str], text: str) -> None:
    """Of a run of them, none is looked at again from another."""
    assert {len(found[0]) for found in pattern.finditer(text * 100)} <= {1}


@pytest.mark.parametrize("run", RUNS)
def test_only_the_end_of_a_long_prompt_is_read(run: str) -> None:
    end = ", Kubernetes, Jean Valjean"
    long = run * (LONGEST_READ // len(run)) + "," * LONGEST_READ + end
    assert key_terms_of(long) == ["Kubernetes", "Jean Valjean"]
    text = Counted("Zebedee, " + run * (1_000_000 // len(run)))
    key_terms_of(text)
    assert text.taken <= LONGEST_READ


class Counted(str):
    """Counts the characters that are taken of it."""

    taken = 0

    def __getitem__(self, which: SupportsIndex | slice) -> str:
        part = super().__getitem__(which)
        self.taken += len(part)
        return part


def test_a_name_that_is_cut_off_does_not_count() -> None:
    names = ["Kubernetes" * 9 + str(1000 + number) for number in range(1000)]
    assert key_terms_of(", ".join(names)) == names[-MAX_KEY_TERMS:]
    words = [f"{name} said" for name in names]
    assert key_terms_of(" ".join(words))[0] in names
