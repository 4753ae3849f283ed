"""Decoding against `struct` and soundfile, in any cut of the bytes."""

import io
import math
import struct
from itertools import pairwise

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamer.audio.format import AudioFormat
from streamer.audio.pcm import ALAW, MAX_MAGNITUDE, MULAW, PcmDecoder, clean_floats
from streamer.audio.resample import Resampler

FORMATS = {
    "u8": AudioFormat(sample_rate=16000, bit_depth=8),
    "s16": AudioFormat(sample_rate=16000),
    "s24": AudioFormat(sample_rate=16000, bit_depth=24),
    "s32": AudioFormat(sample_rate=16000, bit_depth=32),
    "f32": AudioFormat(sample_rate=16000, bit_depth=32, is_float=True),
    "f64": AudioFormat(sample_rate=16000, bit_depth=64, is_float=True),
    "mulaw": AudioFormat(sample_rate=16000, bit_depth=8, encoding="mulaw"),
    "alaw": AudioFormat(sample_rate=16000, bit_depth=8, encoding="alaw"),
}
SUBTYPES = {
    "u8": "PCM_U8",
    "s16": "PCM_16",
    "s24": "PCM_24",
    "s32": "PCM_32",
    "f32": "FLOAT",
    "f64": "DOUBLE",
    "mulaw": "ULAW",
    "alaw": "ALAW",
}

every_format = pytest.mark.parametrize("name", FORMATS)


def with_channels(name: str, channels: int) -> AudioFormat:
    fmt = FORMATS[name]
    return AudioFormat(
        sample_rate=fmt.sample_rate,
        channels=channels,
        bit_depth=fmt.bit_depth,
        is_float=fmt.is_float,
        encoding=fmt.encoding,
    )


def read_raw(name: str, data: bytes, channels: int) -> NDArray[np.float32]:
    """Decode with soundfile, to [channels, frames]."""
    samples = soundfile.read(
        io.BytesIO(data),
        dtype="float32",
        always_2d=True,
        format="RAW",
        subtype=SUBTYPES[name],
        samplerate=16000,
        channels=channels,
        endian="LITTLE",
    )[0]
    return np.asarray(samples, np.float32).T


def by_struct(name: str, data: bytes) -> list[float]:
    """Decode one sample after the other; bad ones are 0."""
    size = FORMATS[name].bytes_per_sample
    values: list[float] = []
    for at in range(0, len(data), size):
        sample = data[at : at + size]
        if name == "u8":
            values.append((sample[0] - 128) / 128)
        elif name in ("s16", "s24", "s32"):
            value = int.from_bytes(sample, "little", signed=True)
            values.append(value / 2 ** (8 * size - 1))
        else:
            (number,) = struct.unpack("<f" if name == "f32" else "<d", sample)
            values.append(number if abs(number) <= MAX_MAGNITUDE else 0.0)
    return values


def decode_in(fmt: AudioFormat, pieces: list[bytes]) -> tuple[bytes, int, int]:
    """Return the exact bits of every channel, the bad samples and the bytes pending."""
    decoder = PcmDecoder(fmt)
    decoded = [decoder.decode(piece) for piece in pieces]
    for samples in decoded:
        assert samples.dtype == np.float32
        assert samples.shape[0] == fmt.channels
        assert all(row.flags.c_contiguous for row in samples)
    everything = np.concatenate(decoded, axis=1) if decoded else np.empty((0, 0))
    return everything.tobytes(), decoder.bad_samples, len(decoder._pending)


def cut_at(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


@every_format
@given(
    channels=st.integers(1, 8),
    data=st.binary(max_size=400),
    places=st.lists(st.integers(0, 400), max_size=12),
)
def test_the_cut_never_matters(name: str, channels: int, data: bytes, places: list[int]) -> None:
    fmt = with_channels(name, channels)
    whole = decode_in(fmt, [data])
    assert whole[2] == len(data) % fmt.bytes_per_frame
    assert len(whole[0]) == len(data) // fmt.bytes_per_frame * channels * 4
    if data:
        assert decode_in(fmt, [data[i : i + 1] for i in range(len(data))]) == whole
    assert decode_in(fmt, cut_at(data, places)) == whole


@pytest.mark.parametrize("name", ["u8", "s16", "s24", "s32", "f32", "f64"])
@given(channels=st.integers(1, 8), data=st.binary(max_size=600))
def test_every_sample_is_what_struct_reads(name: str, channels: int, data: bytes) -> None:
    fmt = with_channels(name, channels)
    data = data[: len(data) // fmt.bytes_per_frame * fmt.bytes_per_frame]
    expected = np.array(by_struct(name, data), np.float64).astype(np.float32)
    decoded = PcmDecoder(fmt).decode(data)
    assert np.array_equal(decoded, expected.reshape(-1, channels).T)


@every_format
@pytest.mark.parametrize("channels", range(1, 9))
def test_agrees_with_soundfile(name: str, channels: int) -> None:
    rng = np.random.default_rng(channels)
    sound = rng.uniform(-1, 1, (1000, channels))
    file = io.BytesIO()
    soundfile.write(file, sound, 16000, format="RAW", subtype=SUBTYPES[name], endian="LITTLE")
    data = file.getvalue()
    decoded = PcmDecoder(with_channels(name, channels)).decode(data)
    assert np.array_equal(decoded, read_raw(name, data, channels))
    # A step of the coarsest encodings: 8 bits linear, and the loudest segment of G.711.
    assert np.abs(decoded - sound.T).max() <= (2**-7 if name == "u8" else 2**-5)


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("u8", b"\x00\x80\xff", [-1.0, 0.0, 127 / 128]),
        ("s16", b"\x00\x80\x00\x00\xff\x7f\x01\x00", [-1.0, 0.0, 32767 / 32768, 2**-15]),
        ("s24", b"\x00\x00\x80\xff\xff\x7f\xff\xff\xff", [-1.0, 1 - 2**-23, -(2**-23)]),
        ("s32", b"\x00\x00\x00\x80\x00\x00\x00\x40", [-1.0, 0.5]),
    ],
)
def test_full_scale(name: str, data: bytes, expected: list[float]) -> None:
    assert PcmDecoder(FORMATS[name]).decode(data).tolist() == [expected]


@pytest.mark.parametrize(("name", "table"), [("mulaw", MULAW), ("alaw", ALAW)])
def test_g711_is_soundfiles_for_every_code(name: str, table: NDArray[np.float32]) -> None:
    assert np.array_equal(table, read_raw(name, bytes(range(256)), 1)[0])


def test_g711_end_points_of_the_recommendation() -> None:
    # Tables 1 and 2 of G.711: largest decoder outputs 4032 of 13 bits and 8031 of 14 bits,
    # least ones 1 of 13 bits and 0.
    assert (MULAW[0x80], MULAW[0x00], MULAW[0xFF]) == (8031 / 8192, -8031 / 8192, 0.0)
    assert (ALAW[0xAA], ALAW[0x2A], ALAW[0xD5]) == (4032 / 4096, -4032 / 4096, 1 / 4096)


@pytest.mark.parametrize(("name", "code"), [("f32", "<f"), ("f64", "<d")])
def test_bad_floats_are_zeroed_and_counted(name: str, code: str) -> None:
    bad = [math.nan, math.inf, -math.inf, 2 * MAX_MAGNITUDE, -3e38]
    if name == "f64":
        bad += [1e300, -1e300]
    good = [0.25, -1.5, 40.0, MAX_MAGNITUDE, -MAX_MAGNITUDE, -0.0]
    decoder = PcmDecoder(FORMATS[name])
    for total in (1, 2):
        decoded = decoder.decode(b"".join(struct.pack(code, x) for x in good + bad))
        assert decoded.tolist() == [good + [0.0] * len(bad)]
        assert decoder.bad_samples == total * len(bad)


def test_good_floats_are_not_counted_or_clipped() -> None:
    decoder = PcmDecoder(FORMATS["f64"])
    assert decoder.decode(struct.pack("<3d", 0.1, -30000.0, 1e-300)).tolist() == [
        [np.float32(0.1), -30000.0, 0.0]
    ]
    assert decoder.bad_samples == 0


def test_clean_floats_keeps_the_shape_and_the_input() -> None:
    stereo = np.array([[0.5, np.nan], [np.inf, 2.0]])
    cleaned, bad = clean_floats(stereo)
    assert (cleaned.tolist(), bad) == ([[0.5, 0.0], [0.0, 2.0]], 2)
    assert cleaned.dtype == np.float32
    assert np.isnan(stereo[0, 1])
    empty, bad = clean_floats(np.empty((2, 0), np.float32))
    assert (empty.shape, bad) == ((2, 0), 0)


@given(data=st.binary(min_size=4, max_size=4000))
def test_the_resampler_is_never_given_a_bad_sample(data: bytes) -> None:
    given_to_soxr: list[NDArray[np.float32]] = []

    class Spy(soxr.ResampleStream):  # type: ignore[misc]
        def resample_chunk(self, x: NDArray[np.float32], last: bool = False) -> NDArray[np.float32]:
            given_to_soxr.append(x)
            return np.asarray(super().resample_chunk(x, last), np.float32)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(soxr, "ResampleStream", Spy)
        resampler = Resampler(48000, 16000)
        # The upper bytes 7f 80 and ff 80 make infinities and NaN of every fourth sample.
        loud = data.replace(b"\x00", b"\x80") + struct.pack("<3f", math.nan, math.inf, 3e38)
        decoded = PcmDecoder(FORMATS["f32"]).decode(loud[len(loud) % 4 :])
        heard = np.concatenate([resampler.push(decoded[0]), resampler.finish()])
    assert sum(map(len, given_to_soxr)) >= decoded.shape[1]
    assert all(np.isfinite(samples).all() for samples in given_to_soxr)
    assert np.isfinite(heard).all()


@every_format
def test_the_result_is_the_callers_own(name: str) -> None:
    data = bytes(range(48))
    decoder = PcmDecoder(FORMATS[name])
    first = decoder.decode(data)
    kept = first.copy()
    first += 1
    assert np.array_equal(decoder.decode(data), kept)


def test_a_format_with_a_problem_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'format\.bit_depth' is 12"):
        PcmDecoder(AudioFormat(sample_rate=16000, bit_depth=12))
