"""Every kind of recording comes out whole."""

import io

import numpy as np
import pytest

from streamer.recordings.decoding import Decoding, Report
from tests.recordings.kinds import KINDS, Kind, expected
from tests.recordings.makers import Samples

MAX_LAG_S = 0.08
"""Seconds that an encoder without a length in its container may delay the sound."""


def decoded(body: bytes, block: int = 8_000) -> tuple[Decoding, Samples, Report]:
    """A recording and its samples [channels, n]."""
    decoding = Decoding(io.BytesIO(body))
    blocks = list(decoding.blocks(block))
    assert all(rows.shape[1] == block for rows in blocks[:-1])
    assert all(rows.dtype == np.float32 and rows.flags.c_contiguous for rows in blocks)
    return decoding, np.concatenate(blocks, axis=1), decoding.report()


def likeness(found: Samples, right: Samples, rate: int) -> float:
    """The least correlation of two sounds' channels, where they fit best within `MAX_LAG_S`."""
    lags = int(MAX_LAG_S * rate)
    size = min(found.shape[1], right.shape[1], 30_000) - 2 * lags
    length = 1 << (size + 2 * lags).bit_length()
    matches = []
    for one, other in zip(found, right, strict=True):
        reference = other[lags : lags + size]
        part = one[: size + 2 * lags]
        spectrum = np.fft.rfft(part, length) * np.conj(np.fft.rfft(reference, length))
        lag = int(np.argmax(np.fft.irfft(spectrum)[: 2 * lags + 1]))
        matches.append(np.corrcoef(part[lag : lag + size], reference)[0, 1])
    return float(min(matches))


@pytest.mark.parametrize("name", KINDS)
def test_a_recording_comes_out_whole(name: str) -> None:
    kind: Kind = KINDS[name]
    decoding, found, report = decoded(kind.make())
    header = decoding.header
    assert (header.container, header.sample_rate, header.channels) == (
        kind.container,
        kind.rate,
        kind.channels,
    )
    seconds = found.shape[1] / kind.rate
    assert seconds == report.seconds
    assert abs(seconds - kind.seconds) <= kind.frame_s + 1e-9
    assert bool(report.warnings) == kind.warns, report.warnings
    right = expected(kind)
    assert likeness(found, right, kind.rate) >= kind.likeness
    if kind.repeats > 1 or kind.seconds > 3:  # the end of what was joined is there, too
        tail = found[:, -right.shape[1] // kind.repeats :]
        assert np.sqrt(np.mean(tail**2)) > 0.5 * np.sqrt(np.mean(right**2))


@pytest.mark.parametrize(
    "before", [b"\xef\xbb\xbf", b"\r\n", b"\0\r\n\r\n", b"5a0\r\n", b"\1" * 64]
)
@pytest.mark.parametrize("name", ["wav s16", "flac stereo", "ogg opus", "mov s16", "webm opus"])
def test_a_few_bytes_before_a_container_are_skipped(name: str, before: bytes) -> None:
    body = KINDS[name].make()
    _, whole, _ = decoded(body)
    decoding, found, report = decoded(before + body)
    assert decoding.header.container == KINDS[name].container
    assert np.array_equal(found, whole)
    assert report.warnings == ()
