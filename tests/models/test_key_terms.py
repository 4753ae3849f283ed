"""Key terms: their tree, and a search that writes them whole or not at all."""

import itertools
import math
import tracemalloc
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.models.moonshine.byte_pair_encoding import FIRST_PIECE, BytePairEncoder, spaced
from streamer.models.moonshine.decoding import END_TOKEN, Decoded, ExtraOutputs
from streamer.models.moonshine.exact_rows import READ
from streamer.models.moonshine.key_terms import KeyTerms, spellings
from streamer.models.moonshine.key_terms_cache import KeyTermsCache
from streamer.models.moonshine.term_search import (
    BONUS,
    BONUS_IF_BEGUN,
    INITIAL_RUNS,
    RUNS_PER_TOKEN,
)
from streamer.models.moonshine.tokenizer import Tokenizer
from streamer.onnx.graph import Array
from streamer.weights.manifest import require
from tests.models.small_language import (
    BYTE_PAIR_ENCODER,
    PIECES,
    SCORED,
    SmallNetwork,
    log_probability,
    text_of,
)

LIMIT = 24
PHRASES = st.lists(st.text("abc ", min_size=1, max_size=6).filter(str.strip), max_size=4)
TOKENS = st.lists(st.integers(FIRST_PIECE, len(PIECES) - 1), max_size=12)
SEEDS = st.integers(0, 10_000)


@pytest.fixture(scope="module")
def tiny() -> tuple[Tokenizer, BytePairEncoder]:
    tokenizer = Tokenizer.read(require("moonshine-tiny-en") / "tokenizer.bin")
    return tokenizer, BytePairEncoder(tokenizer.pieces)


@pytest.mark.parametrize(
    "pieces",
    [
        "▁har|sh|ly",
        "▁miser|able",
        "▁Mr|.|▁Thor|nt|on",
        "▁introdu|cing",
        "▁bib|lic|al|▁narr|atives",
        "▁so|j|ourn",
        "▁Israel|'|s|▁history|.",
        "▁don|'|t",
    ],
)
def test_text_is_split_as_the_network_writes_it(
    tiny: tuple[Tokenizer, BytePairEncoder], pieces: str
) -> None:
    tokenizer, encoder = tiny
    found = [tokenizer.pieces[token].decode() for token in encoder.encode(text_from(pieces))]
    assert "|".join(found) == pieces


def text_from(pieces: str) -> str:
    return pieces.replace("|", "").replace("▁", " ").strip()


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1))
def test_every_character_can_be_spelled(tiny: tuple[Tokenizer, BytePairEncoder], text: str) -> None:
    tokenizer, encoder = tiny
    spelled = b"".join(tokenizer.pieces[token] for token in encoder.encode(text))
    assert spelled.decode() == "▁" + text


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("jean valjean", {"jean valjean", "Jean valjean", "Jean Valjean"}),
        ("Kubernetes", {"Kubernetes"}),
        ("iPhone", {"iPhone"}),
        ("  d’albe ", {"d'albe", "D'albe"}),
        ("e\N{COMBINING ACUTE ACCENT}lan", {"élan", "Élan"}),
        ("3", {"3"}),
        ("“Jean Valjean”,", {"Jean Valjean"}),
        ("(NASA)", {"NASA"}),
        ("Acme Inc.", {"Acme Inc"}),
        ("U.S.", {"U.S"}),
        ("C++", {"C++"}),
        (".NET", {".NET"}),
        ("'tis", {"tis", "Tis"}),
        ("¿qué?", {"qué", "Qué"}),
    ],
)
def test_spellings(phrase: str, expected: set[str]) -> None:
    assert set(spellings(phrase)) == expected


@given(PHRASES, TOKENS)
def test_what_is_written_of_a_phrase(phrases: list[str], tokens: list[int]) -> None:
    """All ends of the tokens' text, from a token on, with which a phrase begins."""
    tree = KeyTerms(phrases, BYTE_PAIR_ENCODER)
    texts = [spaced(text) for phrase in phrases for text in spellings(phrase)]
    found: frozenset[bytes] = frozenset()
    for token in tokens:
        found = tree.follow(found, token)
    ends = [b"".join(PIECES[token] for token in tokens[at:]) for at in range(len(tokens))]
    assert found == {end for end in ends if any(text.startswith(end) for text in texts)}


@given(PHRASES)
def test_every_way_to_spell_a_phrase_is_in_the_tree(phrases: list[str]) -> None:
    tree = KeyTerms(phrases, BYTE_PAIR_ENCODER)
    for number, phrase in enumerate(phrases):
        for text in map(spaced, spellings(phrase)):
            for end in range(1, len(text)):
                following = tree.after(text[:end])
                expected = {
                    token
                    for token in range(3, len(PIECES))
                    for piece in [PIECES[token]]
                    if text[end:].startswith(piece) and (token >= FIRST_PIECE or piece >= b"\x80")
                }
                assert expected <= set(following.tokens.tolist())
                assert number in tree.terms(text[:end])
            assert number in tree.completed(text)


@given(PHRASES, TOKENS, st.binary(min_size=1, max_size=4))
def test_places_are_those_of_a_tree_of_all_beginnings(
    phrases: list[str], tokens: list[int], other: bytes
) -> None:
    terms = KeyTerms(phrases, BYTE_PAIR_ENCODER)
    owners = [(n, spaced(text)) for n, phrase in enumerate(phrases) for text in spellings(phrase)]
    written = b"".join(PIECES[token] for token in tokens)
    places = {text[:end] for _, text in owners for end in range(1, len(text) + 1)}
    for place in {*places, written, written[:1] + other, other} - {b""}:
        assert terms.terms(place) == {n for n, text in owners if text.startswith(place)}
        assert terms.completed(place) == {n for n, text in owners if text == place}
        following = {
            token: text[: len(place) + length]
            for _, text in owners
            if text.startswith(place)
            for token, length in BYTE_PAIR_ENCODER.beginnings(text[len(place) :])
        }
        after = terms.after(place)
        assert dict(zip(after.tokens.tolist(), after.beginnings, strict=True)) == following
        assert after.tokens.tolist() == sorted(following)
    for token, piece in enumerate(PIECES):
        found = terms.follow(frozenset({written}), token)
        assert found == {each for each in (written + piece, piece) if each in places}


LETTERS = [chr(0x10428 + number) for number in range(40)]
"""Of four bytes each."""


def long_phrases(seed: int) -> tuple[str, ...]:
    """As many and as long as a client may send."""
    random = np.random.default_rng(seed)
    return tuple("".join(random.choice(LETTERS, 100)) for _ in range(100))


def test_the_longest_terms_take_little_memory(tiny: tuple[Tokenizer, BytePairEncoder]) -> None:
    """Some of it for each term, not for each of its beginnings."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    terms = KeyTerms(long_phrases(0), tiny[1])
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < terms.bytes < 500_000


def test_lists_are_cached_up_to_a_number_of_bytes(tiny: tuple[Tokenizer, BytePairEncoder]) -> None:
    cache = KeyTermsCache(tiny[0].pieces, max_bytes=1_000_000)
    usual = ("Jean Valjean", "Kubernetes")
    first = cache.get(usual)
    for seed in range(8):
        cache.get(long_phrases(seed))
        assert cache.get(usual) is first
        assert cache.bytes <= 1_000_000
    newest = cache.get(long_phrases(7))
    assert cache.get(long_phrases(7)) is newest
    assert len(cache) < 8


def test_a_list_that_is_larger_than_the_bound_is_read_all_the_same(
    tiny: tuple[Tokenizer, BytePairEncoder],
) -> None:
    cache = KeyTermsCache(tiny[0].pieces, max_bytes=10)
    assert cache.get(("Kubernetes",)).first.tokens.size
    assert (len(cache), cache.bytes) == (0, 0)


def search(
    network: SmallNetwork,
    phrases: Sequence[str],
    *,
    extra: ExtraOutputs = ExtraOutputs(),  # noqa: B008
) -> Decoded:
    terms = KeyTerms(phrases, BYTE_PAIR_ENCODER) if phrases else None
    return network.decoder().decode({}, LIMIT, extra=extra, key_terms=terms)


@given(SEEDS, PHRASES)
def test_a_text_without_a_term_is_that_of_greedy_search(seed: int, phrases: list[str]) -> None:
    """All bonuses are taken back."""
    network = SmallNetwork(seed)
    greedy, found = search(network, []), search(network, phrases)
    if found.tokens != greedy.tokens:
        texts = [text for phrase in phrases for text in spellings(phrase)]
        assert any(" " + text in text_of(found.tokens) for text in texts)


@given(SEEDS, PHRASES)
def test_every_token_is_the_best_one_or_within_a_term(seed: int, phrases: list[str]) -> None:
    network = SmallNetwork(seed)
    found = search(network, phrases)
    texts = {text for phrase in phrases for text in map(spaced, spellings(phrase))}
    for at in range(len(found.tokens)):
        logits = network.logits([1, *found.tokens[:at]])
        best = int(logits.argmax())
        if found.tokens[at] == best or _within_a_term(found.tokens, at, texts):
            continue
        pytest.fail(f"token {at} of {text_of(found.tokens)} is neither the best nor a term's")


def _within_a_term(tokens: Sequence[int], at: int, texts: set[bytes]) -> bool:
    spans = itertools.combinations(range(len(tokens) + 1), 2)
    return any(
        first <= at < last and b"".join(PIECES[token] for token in tokens[first:last]) in texts
        for first, last in spans
    )


@pytest.mark.parametrize(("lack", "written"), [(BONUS - 0.5, True), (BONUS + 0.5, False)])
def test_the_bonus_is_for_a_whole_phrase(lack: float, written: bool) -> None:
    network = Scripted({"": (".", {"▁ab": 1.0}), "▁ab": (".", {"c": lack - 1.0})})
    assert ("▁abc" in network.written(["abc"])) == written


@pytest.mark.parametrize(
    ("lack", "written"), [(BONUS_IF_BEGUN - 0.1, True), (BONUS_IF_BEGUN + 0.1, False)]
)
def test_the_bonus_is_larger_for_a_phrase_that_was_begun(lack: float, written: bool) -> None:
    network = Scripted({"": ("▁ab", {}), "▁ab": ("b", {"c": lack})})
    assert ("▁abc" in network.written(["abc"])) == written


def test_a_phrase_within_a_longer_word_is_not_written() -> None:
    network = Scripted({"": (".", {"▁ab": 1.0}), "▁ab": ("bc", {})})
    assert network.written(["ab"]) == "."


def test_no_term_is_written_where_nothing_was_said() -> None:
    network = Scripted({"": ("", {"▁ab": 0.5})})
    assert network.written(["ab"]) == ""


def test_a_term_may_be_the_last_word() -> None:
    network = Scripted({"": ("▁c", {}), "▁c": ("", {"▁ab": 0.5})})
    assert network.written(["ab"]) == "▁c▁ab"


def test_no_word_is_left_out_before_a_term_that_follows() -> None:
    network = Scripted({"": ("▁c", {"▁ab": 1.0}), "▁c": ("▁ab", {})})
    assert network.written(["ab"]).startswith("▁c▁ab")


def test_the_better_place_for_a_term_is_taken() -> None:
    network = Scripted({"": ("▁c", {"▁ab": 2.0}), "▁c": (".", {"▁ab": 1.0})})
    assert network.written(["ab"]).startswith("▁c▁ab")


def test_a_begun_term_is_not_written_with_other_capitals() -> None:
    network = Scripted({"": ("▁ab", {"▁b": 0.5}), "▁ab": ("c", {})})
    assert network.written(["abc", "b"]).startswith("▁b")
    assert network.written(["abc"]).startswith("▁abc")


def piece(text: str) -> int:
    return PIECES.index(text.encode(), FIRST_PIECE)


class Scripted(SmallNetwork):
    """A network whose scores are given for some texts: the best token, and by how many nats others
    are less likely. Behind other texts the end is the best. All else is out of the question.
    """

    def __init__(self, script: dict[str, tuple[str, dict[str, float]]]) -> None:
        super().__init__(0)
        self._script = script

    def logits(self, history: Sequence[int]) -> np.ndarray:
        text = b"".join(PIECES[token] for token in history[1:]).decode()
        logits = np.full(SCORED, -30, np.float32)
        best, others = self._script.get(text, ("", {}))
        logits[piece(best) if best else END_TOKEN] = 0
        for other, lack in others.items():
            logits[piece(other)] = -lack
        return logits

    def written(self, phrases: Sequence[str]) -> str:
        tokens = search(self, phrases).tokens
        return b"".join(PIECES[token] for token in tokens).decode()


class Measured(Scripted):
    """Keeps the tokens of its longest pass."""

    longest = 0

    def run(self, outputs: Sequence[str] | None, inputs: Mapping[str, Array]) -> Sequence[Array]:
        self.longest = max(self.longest, inputs["tokens"].shape[1])
        return super().run(outputs, inputs)


def test_a_long_term_is_spelled_in_passes_of_lengths_that_were_tried() -> None:
    term = "ab" + "c" * 20
    script: dict[str, tuple[str, dict[str, float]]]
    script = {"▁" + term[:length]: ("c", {}) for length in range(2, len(term))}
    network = Measured({"": (".", {"▁ab": 1.0}), **script})
    assert network.written([term]).startswith("▁" + term)
    assert READ >= network.longest > READ // 2


@given(SEEDS, PHRASES, st.randoms())
def test_the_order_of_the_terms_is_irrelevant(
    seed: int, phrases: list[str], random: "np.random.Generator"
) -> None:
    shuffled = [*phrases, *phrases[:1]]
    random.shuffle(shuffled)
    network = SmallNetwork(seed)
    assert search(network, shuffled).tokens == search(network, phrases).tokens


@given(SEEDS, PHRASES)
def test_probabilities_are_those_of_the_tokens_that_were_written(
    seed: int, phrases: list[str]
) -> None:
    network = SmallNetwork(seed)
    found = search(network, phrases, extra=ExtraOutputs(log_probabilities=True))
    expected = network.log_probabilities([*found.tokens, *([END_TOKEN] if found.ended else [])])
    assert found.log_probabilities == pytest.approx(expected, abs=1e-4)


@given(SEEDS, PHRASES)
def test_the_cost_is_bounded(seed: int, phrases: list[str]) -> None:
    """In runs of the network, but for what a phrase replaces."""
    network = SmallNetwork(seed)
    search(network, [])
    greedy_runs, network.runs = network.runs, 0
    found = search(network, phrases)
    if found.tokens == search(SmallNetwork(seed), []).tokens:
        assert network.runs <= greedy_runs + INITIAL_RUNS + RUNS_PER_TOKEN * greedy_runs


def test_nothing_is_run_without_terms() -> None:
    network = SmallNetwork(3)
    found = search(network, [])
    assert network.runs == len(found.tokens) + found.ended
    assert math.isfinite(log_probability(network.logits([1]), 5))
