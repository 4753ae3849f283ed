"""Check of the exercise `framing`."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("framing")


def test_the_length_is_little_endian() -> None:
    assert answer.frame(b"abc") == b"\x03\x00\x00\x00abc"
    assert answer.frame(b"") == bytes(4)


@given(st.lists(st.binary(max_size=20), max_size=8), st.lists(st.integers(0, 200), max_size=12))
def test_messages_do_not_depend_on_the_pieces(messages: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(answer.frame(message) for message in messages)
    frames = answer.Frames(20)
    places = sorted([0, *(min(cut, len(stream)) for cut in cuts), len(stream)])
    found = [one for start, end in pairwise(places) for one in frames.feed(stream[start:end])]
    assert found == messages


def test_a_message_comes_with_its_last_byte() -> None:
    frames = answer.Frames(20)
    counts = [len(frames.feed(bytes([byte]))) for byte in answer.frame(b"ab") + answer.frame(b"")]
    assert counts == [0, 0, 0, 0, 0, 1, 0, 0, 0, 1]


@pytest.mark.parametrize("length", [21, 2**31, 2**32 - 1])
def test_a_length_that_cannot_be_is_the_end(length: int) -> None:
    frames = answer.Frames(20)
    assert frames.feed(answer.frame(bytes(20))) == [bytes(20)]
    head = length.to_bytes(4, "little")
    assert frames.feed(head[:3]) == []
    with pytest.raises(answer.BrokenStream):
        frames.feed(head[3:])
    with pytest.raises(answer.BrokenStream):
        frames.feed(answer.frame(b"good"))
