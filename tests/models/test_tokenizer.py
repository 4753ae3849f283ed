"""`tokenizer.bin`: lengths of one and two bytes, and bytes to text."""

import itertools
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.models.moonshine.tokenizer import Tokenizer
from streamer.weights.manifest import require


def entry(piece: bytes) -> bytes:
    """As the format is described in DESIGN.md, decision 3."""
    size = len(piece)
    prefix = bytes([size]) if size < 128 else bytes([128 + size % 128, size // 128])
    return prefix + piece


@pytest.mark.parametrize("size", [0, 1, 127, 128, 129, 255, 256, 1000])
def test_lengths(tmp_path: Path, size: int) -> None:
    path = tmp_path / "tokenizer.bin"
    path.write_bytes(entry(b"a") + entry(b"x" * size) + entry(b"b"))
    assert Tokenizer.read(path).decode([0, 1, 2]) == "a" + "x" * size + "b"


@pytest.mark.parametrize("cut", [1, 2, 130])
def test_a_file_cut_short_says_so(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "tokenizer.bin"
    path.write_bytes(entry(b"a") + entry(b"x" * 130)[:cut])
    with pytest.raises(ValueError, match="ends in the middle of an entry"):
        Tokenizer.read(path)


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["▁it", "▁was"], "it was"),
        (["▁", "▁a"], "a"),
        ([], ""),
        (["caf", b"\xc3", b"\xa9"], "café"),  # one character over two tokens
        (["a", b"\xc3"], "a"),  # an interim that ends in the middle of a character
        ([b"\xa9", "a"], "a"),
        (["▁", b"\xe2", b"\x99", "▁a"], "a"),
        (["a", "\N{REPLACEMENT CHARACTER}", "b"], "ab"),
        (["<s>", "a", "</s>", "<unk>", "<<ST_17>>"], "a"),
        (["it", b"\r", b"\n", b"\t", "was"], "it was"),
        (["a", b"\x00", b"\x1b", b"\x7f", "b"], "ab"),
        (["don\N{PRIVATE USE TWO}t"], "don’t"),  # Windows-1252 in a web page
        (["a\N{LEFT-TO-RIGHT MARK}", "\N{ZERO WIDTH NO-BREAK SPACE}b"], "ab"),
        (["می\N{ZERO WIDTH NON-JOINER}روم"], "می\N{ZERO WIDTH NON-JOINER}روم"),
    ],
)
def test_pieces_join_to_text(pieces: list[str | bytes], text: str) -> None:
    raw = [piece.encode() if isinstance(piece, str) else piece for piece in pieces]
    assert Tokenizer(raw).decode(range(len(raw))) == text


@given(st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="▁\ufffd")))
def test_any_text_survives_a_token_for_each_byte(text: str) -> None:
    assert Tokenizer([bytes([n]) for n in range(256)]).decode(text.encode()) == text


REAL = Tokenizer.read(require("moonshine-tiny-en") / "tokenizer.bin")


@given(
    st.lists(st.one_of(st.integers(0, 32_767), st.integers(3, 258), st.integers(30_100, 32_005)))
)
def test_any_tokens_are_text_that_can_be_shown(tokens: list[int]) -> None:
    text = REAL.decode(tokens)
    assert "\N{REPLACEMENT CHARACTER}" not in text
    assert not {unicodedata.category(character) for character in text} & {"Cc", "Cs", "Co"}
    assert text == " ".join(text.split())
    assert "<<ST_" not in text


@given(st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="▁\ufffd")))
def test_a_text_that_still_grows_only_lacks_its_end(text: str) -> None:
    tokens = [token + 3 for token in text.encode()]
    for length in range(len(tokens) + 1):
        assert text.startswith(REAL.decode(tokens[:length]))


def test_the_real_one_holds_every_token() -> None:
    assert len(REAL._pieces) == 32_768
    assert REAL.decode([REAL._pieces.index("▁times".encode())]) == "times"


@given(
    st.lists(st.one_of(st.integers(0, 32_767), st.integers(3, 258), st.integers(30_100, 32_005)))
)
def test_words_joined_by_spaces_are_the_text(tokens: list[int]) -> None:
    words = REAL.words(tokens)
    assert " ".join(word.text for word in words) == REAL.decode(tokens)
    for word in words:
        assert word.tokens
        assert list(word.tokens) == sorted(word.tokens)
        assert set(word.tokens) <= set(range(len(tokens)))
    assert all(one.tokens[-1] <= next_.tokens[0] for one, next_ in itertools.pairwise(words))


@given(st.lists(st.binary(max_size=4), max_size=20))
def test_words_of_any_bytes_are_the_text(pieces: list[bytes]) -> None:
    tokenizer = Tokenizer(pieces)
    tokens = range(len(pieces))
    assert " ".join(word.text for word in tokenizer.words(tokens)) == tokenizer.decode(tokens)


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ([], []),
        (["▁it", "▁was"], [("it", [0]), ("was", [1])]),
        (["▁sea", "son", ",", "▁of"], [("season,", [0, 1]), ("of", [3])]),  # punctuation apart
        (["▁", "-", "▁a"], [("-", [1]), ("a", [2])]),  # nothing but punctuation
        (["▁caf", b"\xc3", b"\xa9", "s"], [("cafés", [0, 1, 2, 3])]),  # a letter in two tokens
        (["a", b"\xc3"], [("a", [0])]),  # and half a letter
        ([b"\xe2", b"\x96", b"\x81", "a"], [("a", [3])]),  # a space in three tokens
        (["<s>", "▁a▁b", "</s>"], [("a", [1]), ("b", [1])]),  # two words in a token
    ],
)
def test_the_tokens_of_words(pieces: list[str | bytes], words: list[tuple[str, list[int]]]) -> None:
    raw = [piece.encode() if isinstance(piece, str) else piece for piece in pieces]
    found = Tokenizer(raw).words(range(len(raw)))
    assert [(word.text, sorted(set(word.tokens))) for word in found] == words
