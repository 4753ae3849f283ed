"""Check of the exercise `sniff`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("sniff")

HEADS = {
    "WAV": b"RIFF\x24\x08\x00\x00WAVE",
    "FLAC": b"fLaC",
    "Ogg": b"OggS\x00\x02",
    "MP4": b"\x00\x00\x00\x20ftyp",
}
heads = st.sampled_from([b"", *HEADS.values(), b"RIFF....", b"OggS", b"RIF", b"RIFFftyp"])
streams = st.builds(lambda head, rest: head + rest, heads, st.binary(max_size=10))


@pytest.mark.parametrize("name", HEADS)
def test_a_container_is_known_as_soon_as_possible(name: str) -> None:
    head = HEADS[name]
    for length in range(len(head)):
        assert answer.container(head[:length]) is None
        assert answer.needs_more(head[:length])
    assert answer.container(head) == name
    assert not answer.needs_more(head)


@pytest.mark.parametrize("head", [b"RIFF....AVI ", b"fLaX....", b"OggS\x01\x02..", b"........"])
def test_others_are_none(head: bytes) -> None:
    assert answer.container(HEADS["FLAC"]) == "FLAC"
    assert answer.container(head) is None
    assert not answer.needs_more(head)


@given(streams, st.binary(max_size=12))
def test_more_bytes_never_change_a_name(head: bytes, more: bytes) -> None:
    found = answer.container(head)
    if found is not None:
        assert answer.container(head + more) == found
    if not answer.needs_more(head):
        assert answer.container(head + more) == found


def test_four_bytes_may_still_become_two_kinds() -> None:
    """`RIFF` may also be the size of the first box of an MP4."""
    assert answer.needs_more(b"RIFFft")
    assert answer.container(b"RIFFftyp") == "MP4"
