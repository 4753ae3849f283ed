"""A WAV header at the beginning of raw audio: only samples come out, wherever the bytes are cut."""

import io
import struct
import wave
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streamer.audio.format import AudioFormat
from streamer.rpc.riff import MAX_HEADER_BYTES, NAMES, RiffWalker, WaveError

NAME = st.sampled_from([b"LIST", b"fact", b"bext", b"JUNK", b"id3 "])
RAW = st.binary(max_size=300)


def chunk(name: bytes, content: bytes, *, padded: bool = True) -> bytes:
    padding = b"\0" if padded and len(content) % 2 else b""
    return name + struct.pack("<I", len(content)) + content + padding


def fmt(rate: int = 16_000, channels: int = 1, bits: int = 16, tag: int = 1) -> bytes:
    align = channels * bits // 8
    plain = struct.pack("<HHIIHH", tag, channels, rate, rate * align, align, bits)
    return chunk(b"fmt ", plain)


def extensible(tag: int) -> bytes:
    plain = struct.pack("<HHIIHH", 0xFFFE, 2, 48_000, 192_000, 4, 16)
    return chunk(b"fmt ", plain + struct.pack("<HHIH", 22, 16, 3, tag) + bytes(14))


def head(*chunks: bytes, name: bytes = b"RIFF", size: int = 0) -> bytes:
    return name + struct.pack("<I", size) + b"WAVE" + b"".join(chunks)


def data(samples: bytes, size: int | None = None) -> bytes:
    return b"data" + struct.pack("<I", len(samples) if size is None else size) + samples


def walk(audio: bytes, cuts: list[int] | None = None) -> tuple[bytes, RiffWalker]:
    walker = RiffWalker()
    places = [0, *sorted(cut % (len(audio) + 1) for cut in cuts or []), len(audio)]
    pieces = [audio[a:b] for a, b in pairwise(places)]
    found = b"".join(walker.push(piece) for piece in pieces)
    return found + walker.finish(), walker


def is_header(audio: bytes) -> bool:
    return audio[:4] in NAMES and audio[8:12] == b"WAVE"


@given(audio=RAW, cuts=st.lists(st.integers(0, 300), max_size=8))
@example(audio=b"RIF", cuts=[1, 2])
@example(audio=b"RIFF\0\0\0\0RIFF" + bytes(9), cuts=[*range(21)])
def test_audio_without_a_header_is_unchanged(audio: bytes, cuts: list[int]) -> None:
    if not is_header(audio):
        assert walk(audio, cuts)[0] == audio


@given(
    before=st.lists(st.tuples(NAME, st.binary(max_size=41)), max_size=4),
    between=st.lists(st.tuples(NAME, st.binary(max_size=41)), max_size=4),
    behind=st.lists(st.tuples(NAME, st.binary(max_size=41)), max_size=3),
    samples=RAW.filter(len),
    cuts=st.lists(st.integers(0, 1_000), max_size=12),
    name=st.sampled_from(NAMES),
)
def test_only_samples_remain_at_any_cut(
    before: list[tuple[bytes, bytes]],
    between: list[tuple[bytes, bytes]],
    behind: list[tuple[bytes, bytes]],
    samples: bytes,
    cuts: list[int],
    name: bytes,
) -> None:
    others = [[chunk(*one) for one in some] for some in (before, between, behind)]
    padding = b"\0" if len(samples) % 2 else b""
    begin = head(*others[0], fmt(8_000, 2), *others[1], name=name)
    found, walker = walk(begin + data(samples) + padding + b"".join(others[2]), cuts)
    assert found == samples
    assert walker.header is not None
    assert walker.header.format == AudioFormat(8_000, 2)
    assert walker.header.data_bytes == len(samples)


@given(samples=RAW, size=st.sampled_from([0, 0x7FFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFDB]))
def test_of_unknown_length_everything_is_samples(samples: bytes, size: int) -> None:
    audio = head(fmt()) + data(samples, size) + chunk(b"LIST", b"is audio")
    found, walker = walk(audio, [*range(len(audio))])
    assert found == samples + chunk(b"LIST", b"is audio")
    assert walker.header is not None
    assert walker.header.data_bytes is None


def test_a_length_that_is_too_small_costs_no_audio() -> None:
    samples = bytes(range(1, 32)) * 4
    found, _ = walk(head(fmt()) + data(samples, 20), [*range(200)])
    assert found == samples


def test_samples_that_look_like_a_chunk_with_an_impossible_length_are_samples() -> None:
    samples = b"\1\2" * 10 + b"NOTE" + b"\xff" * 4 + b"\3\4" * 10
    found, _ = walk(head(fmt()) + data(samples, 20), [*range(200)])
    assert found == samples


def test_files_that_follow_each_other() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16_000)
        writer.writeframes(b"\1\2\3\4")
    found, walker = walk(file.getvalue() * 2, [5, 46, 51])
    assert found == b"\1\2\3\4\1\2\3\4"
    assert walker.header is not None


@pytest.mark.parametrize("padded", [True, False])
def test_odd_chunks_with_and_without_their_padding(padded: bool) -> None:
    odd = chunk(b"LIST", b"INFO\0", padded=padded)
    # The size of `data` begins with a byte that could be of a name.
    samples = bytes(0x41)
    assert walk(head(odd, fmt(), odd) + data(samples), [*range(120)])[0] == samples


@pytest.mark.parametrize(
    ("chunk_of_format", "expected"),
    [
        (extensible(1), AudioFormat(48_000, 2)),
        (extensible(7), AudioFormat(48_000, 2, 16, encoding="mulaw")),
        (fmt(8_000, bits=8, tag=7), AudioFormat(8_000, 1, 8, encoding="mulaw")),
        (fmt(bits=32, tag=3), AudioFormat(16_000, 1, 32, is_float=True)),
        (fmt(tag=0x55), None),  # MP3 in WAV
        (chunk(b"fmt ", b"\1\0\1\0"), None),
    ],
)
def test_formats(chunk_of_format: bytes, expected: AudioFormat | None) -> None:
    walker = RiffWalker()
    assert walker.push(head(chunk_of_format) + data(b"")) == b""
    assert walker.settled
    assert walker.header is not None
    assert walker.header.format == expected


def test_it_says_when_it_is_known_whether_there_is_a_header() -> None:
    walker = RiffWalker()
    for piece in (b"", b"RI", b"FF\0\0\0\0WAV", b"E", fmt(), b"data\0\0\0"):
        walker.push(piece)
        assert not walker.settled
    walker.push(b"\0")
    assert walker.settled
    raw = RiffWalker()
    assert raw.push(b"\0") == b"\0"
    assert raw.settled


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (head(data(b"\1\2")), "the format is missing"),
        (head(fmt(), bytes(8)), r"a chunk is named b'\\x00\\x00\\x00\\x00'; allowed: 4 characters"),
        (head(fmt(), b"LIST" + struct.pack("<I", MAX_HEADER_BYTES)), "before the samples; allowed"),
        (head(fmt()), "the samples are missing"),
        (head(), "the format and the samples are missing"),
        (head(fmt()) + data(b"\1\2") + head(fmt(8_000)) + data(b"\3\4"), "another format"),
    ],
)
def test_headers_that_cannot_be_read(audio: bytes, message: str) -> None:
    for cuts in ([], [*range(len(audio))]):
        with pytest.raises(WaveError, match=message):
            walk(audio, cuts)
