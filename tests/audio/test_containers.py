"""Bytes of a file that are sent as raw PCM are recognized; raw PCM is not taken for a file."""

import io

import numpy as np
import pytest
import soundfile
from hypothesis import example, given
from hypothesis import strategies as st

from streamer.audio.containers import FRAMES, HEAD_BYTES, HeadCheck, container_of

SAMPLES = np.sin(np.arange(16_000) / 20) / 2


def written(kind: str, subtype: str | None = None, rate: int = 16_000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, SAMPLES, rate, subtype, format=kind)
    return file.getvalue()


def mpeg_frames(head: bytes, size: int, count: int = 20) -> bytes:
    return (head + bytes(size - len(head))) * count


def adts_frame(size: int) -> bytes:
    """AAC-LC, 16 kHz, mono; of this size."""
    return bytes(
        [0xFF, 0xF1, 0x60, 0x40 | size >> 11, size >> 3 & 0xFF, (size & 7) << 5 | 0x1F, 0xFC]
    )


EBML = b"\x1a\x45\xdf\xa3"
FILES = {
    "WAV": written("WAV"),
    "WAV float": written("WAV", "FLOAT"),
    "WAV RF64": written("RF64"),
    "WAV W64": written("W64"),
    "WAV RIFX": b"RIFX\0\0\x10\0WAVEfmt ",
    "WAV from a pipe": b"RIFF\xff\xff\xff\xffWAVEfmt ",
    "FLAC": written("FLAC"),
    "OGG": written("OGG", "VORBIS"),
    "OGG Opus": written("OGG", "OPUS"),
    "MP3": written("MP3"),
    "MP3 at 44.1 kHz": written("MP3", rate=44_100),
    "MP3 with tags": b"ID3\x04\x00\x00\x00\x00\x1f\x76TIT2" + bytes(4_000),
    "MP3 of 64 kbit/s": mpeg_frames(b"\xff\xfb\x50\xc0", 208),
    "MP3, that is MP2": mpeg_frames(b"\xff\xfd\x80\x04", 417),
    "AIFF": written("AIFF"),
    "CAF": written("CAF"),
    "AU": written("AU"),
    "AMR": b"#!AMR\n<",
    "AMR wide": b"#!AMR-WB\n",
    "AAC": b"".join(adts_frame(size) + bytes(size - 7) for size in (200, 231, 187, 204)),
    "MP4": b"\0\0\0\x1cftypM4A \0\0\x02\0M4A isomiso2",
    "MP4 of QuickTime": b"\0\0\0\x14ftypqt  \0\0\x02\0",
    "MP4 in fragments": b"\0\0\0\x18stypmsdh\0\0\0\0",
    "WebM": EBML + b"\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\x82\x84webm",
    "WebM of unknown size": EBML + b"\x01" + bytes(6) + b"\x1f\x42\x86\x81\x01\x42\x82\x84webm",
    "WebM, that is Matroska": EBML + b"\xa3\x42\x86\x81\x01\x42\x82\x88matroska",
    "SPHERE": b"NIST_1A\n   1024\n",
    "WMA": b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c" + bytes(8),
}


@pytest.mark.parametrize("what", FILES)
@pytest.mark.parametrize("size", [1, 3, 640, HEAD_BYTES])
def test_a_file_is_recognized_once_however_it_is_cut(what: str, size: int) -> None:
    check, data = HeadCheck(), FILES[what]
    found = [check.container(data[at : at + size]) for at in range(0, len(data), size)]
    assert [name for name in found if name] == [what.split()[0].rstrip(",")]


@given(st.sampled_from(sorted(FILES)), st.integers(0, HEAD_BYTES))
def test_more_bytes_never_change_a_name(what: str, end: int) -> None:
    name = container_of(FILES[what][:end])
    assert name in (None, container_of(FILES[what]))


def test_it_looks_at_the_beginning_only() -> None:
    check = HeadCheck()
    assert check.container(bytes(HEAD_BYTES)) is None
    assert check.container(FILES["WAV"]) is None


# Raw PCM


random_bytes = st.builds(
    lambda seed, size: np.random.default_rng(seed).bytes(size),
    st.integers(0, 2**32),
    st.integers(0, 600),
)
"""Not `st.binary`, which also tries the constants of the code under test."""


@given(random_bytes)
@example(b"ID3")
@example(b"ID3\x04\x00\x00\xff\xff\xff\xff" * 50)
@example(b"RIFF" * 100)
@example(b"fLaC" * 100)
@example(b"OggS" * 100)
@example(b"ftyp" * 100)
@example(EBML * 100)
def test_other_bytes_are_no_file(data: bytes) -> None:
    assert container_of(data) is None


@given(random_bytes.map(lambda data: data[:8] or b"\0"))
@example(b"\xff\xfb")
@example(b"\xff\xfb\x90\x00")
@example(b"\xff\xff")
@example(b"\xd5")
@example(b"\xff\xf1")
@example(b"\xff\xfb\x50\xc0")
def test_constant_and_periodic_signals_are_no_file(period: bytes) -> None:
    """An offset, a square wave, silence in each encoding."""
    assert container_of(period * (HEAD_BYTES // len(period))) is None


@pytest.mark.parametrize("sign", [b"\xff\xfb\x90\x00", b"\xff\xf3\x40\xc4", b"\xff\xf1\x60\x40"])
@given(rest=st.binary(min_size=6_000, max_size=6_000))
def test_the_two_bytes_of_a_frame_are_not_enough(sign: bytes, rest: bytes) -> None:
    assert container_of(sign + rest) is None


@pytest.mark.parametrize("what", ["MP3 of 64 kbit/s", "MP3, that is MP2", "AAC"])
def test_fewer_frames_are_not_enough(what: str) -> None:
    data = FILES[what]
    least = next(end for end in range(len(data)) if container_of(data[:end]))
    first = data[: least // FRAMES]
    assert container_of(first + bytes(3_000)) is None


@pytest.mark.parametrize("level", [0.0001, 0.01, 0.3])
def test_noise_as_16_bit_samples(level: float) -> None:
    random = np.random.default_rng(1)
    for _ in range(300):
        noise = random.normal(0, level * 32_768, HEAD_BYTES // 2).clip(-32_768, 32_767)
        assert container_of(noise.astype("<i2").tobytes()) is None
