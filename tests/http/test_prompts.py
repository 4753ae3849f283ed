"""Key terms in the prompts of OpenAI's clients."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.config.schema import MAX_KEY_TERMS, KeyTerms
from streamer.http.prompts import key_terms_of


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
