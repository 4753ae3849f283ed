"""`tokenizer.bin`: lengths of one and two bytes, and bytes to text."""

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
        (["a", b"\xc3"], "a\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_pieces_join_to_text(pieces: list[str | bytes], text: str) -> None:
    raw = [piece.encode() if isinstance(piece, str) else piece for piece in pieces]
    assert Tokenizer(raw).decode(range(len(raw))) == text


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="▁")))
def test_any_text_survives_a_token_for_each_byte(text: str) -> None:
    assert Tokenizer([bytes([n]) for n in range(256)]).decode(text.encode()) == text.strip()


def test_the_real_one_holds_every_token() -> None:
    tokenizer = Tokenizer.read(require("moonshine-tiny-en") / "tokenizer.bin")
    assert len(tokenizer._pieces) == 32_768
    assert tokenizer.decode([tokenizer._pieces.index("▁times".encode())]) == "times"
