"""WebRTC's detector: voiced answers smoothed to a probability."""

import asyncio
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamer.audio.resample import Resampler
from streamer.observe.monitor import Meter, Monitor
from streamer.vad.engine import DetectionFailed
from streamer.vad.webrtc import SMOOTHED_WINDOWS, WEBRTC_WINDOW, WebRtcDetector, WebRtcVad
from streamer.weights.manifest import require

Windows = NDArray[np.float32]

METER = Meter(Monitor(), "vad")


def windows(samples: NDArray[np.float32]) -> Windows:
    count = len(samples) // WEBRTC_WINDOW
    return samples[: count * WEBRTC_WINDOW].reshape(count, WEBRTC_WINDOW)


@cache
def speech() -> Windows:
    """The first six seconds of a recording."""
    samples, rate = soundfile.read(require("moonshine-tiny-en") / "two_cities.wav", dtype="float32")
    resampler = Resampler(rate, 16_000)
    return windows(np.concatenate([resampler.push(samples[: 6 * rate]), resampler.finish()]))


def detect(detector: WebRtcDetector, given_: Windows) -> list[float]:
    return asyncio.run(detector.detect(given_))


class Scripted:
    """In place of webrtcvad: the first sample says whether a window is voiced."""

    def __init__(self) -> None:
        self.heard: list[NDArray[np.int16]] = []

    def is_speech(self, pcm: bytes, rate: int) -> bool:
        assert rate == 16_000
        self.heard.append(np.frombuffer(pcm, np.int16))
        return bool(self.heard[-1][0] > 0)


def scripted() -> tuple[WebRtcDetector, Scripted]:
    detector = WebRtcVad(3, METER).open()
    detector._vad = vad = Scripted()
    return detector, vad


def test_the_probability_is_the_share_of_voiced_windows_among_the_last_five() -> None:
    detector, _ = scripted()
    voiced = [1, 1, 0, 1, 1, 1, 1, 1, 0, 0]
    given_ = np.array(voiced, np.float32)[:, np.newaxis] * np.full(WEBRTC_WINDOW, 0.5, np.float32)
    shares = [0.2, 0.4, 0.4, 0.6, 0.8, 0.8, 0.8, 1.0, 0.8, 0.6]
    assert SMOOTHED_WINDOWS == 5
    assert detect(detector, given_) == shares


@pytest.mark.parametrize(
    ("sample", "pcm"),
    [(0.0, 0), (0.5, 16_384), (-0.5, -16_384), (1.0, 32_767), (-1.0, -32_768), (7.0, 32_767)],
)
def test_loud_samples_are_clipped_and_never_wrap(sample: float, pcm: int) -> None:
    detector, vad = scripted()
    detect(detector, np.full((1, WEBRTC_WINDOW), sample, np.float32))
    assert set(vad.heard[0].tolist()) == {pcm}


@pytest.mark.parametrize("mode", [0, 1, 2, 3])
def test_speech_and_silence(mode: int) -> None:
    found = np.array(detect(WebRtcVad(mode, METER).open(), speech()))
    loudness = np.abs(speech()).mean(axis=1)
    assert found[loudness > np.median(loudness)].mean() > 0.7
    assert (
        max(detect(WebRtcVad(mode, METER).open(), np.zeros((50, WEBRTC_WINDOW), np.float32))) == 0.0
    )


def test_a_higher_mode_hears_less() -> None:
    sums = [sum(detect(WebRtcVad(mode, METER).open(), speech())) for mode in range(4)]
    assert sums == sorted(sums, reverse=True)
    assert sums[0] > sums[3]


@cache
def whole() -> list[float]:
    """What it makes of it in one block."""
    return detect(WebRtcVad(2, METER).open(), speech())


@settings(max_examples=30)
@given(st.lists(st.integers(0, 300), max_size=20))
def test_blocks_do_not_matter(cuts: list[int]) -> None:
    assert len(speech()) == 300
    detector = WebRtcVad(2, METER).open()
    edges = [0, *sorted(cuts), 300]
    found: list[float] = []
    for first, last in pairwise(edges):
        found += detect(detector, speech()[first:last])
    assert found == whole()


def test_channels_do_not_share_state() -> None:
    engine = WebRtcVad(2, METER)
    first, second = engine.open(), engine.open()
    silence = np.zeros((1, WEBRTC_WINDOW), np.float32)
    for n, window in enumerate(speech()[:100]):
        assert detect(first, window[np.newaxis]) == [whole()[n]]
        assert detect(second, silence) == [0.0]


def test_a_defect_is_named() -> None:
    detector = WebRtcVad(3, METER).open()
    with pytest.raises(DetectionFailed, match="Error") as failure:
        detect(detector, windows(np.zeros(WEBRTC_WINDOW, np.float32))[:, :-1])
    assert failure.value.__cause__ is not None
