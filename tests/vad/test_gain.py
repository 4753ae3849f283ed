"""Quiet audio is raised for the detector; silence, noise and loud audio stay as they are."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from streamer.audio.buffer import SampleBuffer
from streamer.config.segmentation import VadConfig
from streamer.observe.monitor import Meter, Monitor
from streamer.pipeline.segmenter_config import segmenter_settings
from streamer.vad.engine import WindowArray
from streamer.vad.gain import MAX_GAIN_DB, TARGET_DB, InputGain
from streamer.vad.segmenter import Segmenter
from streamer.vad.segmenter_events import SegmentEnded
from streamer.vad.silero import SileroVad
from streamer.vad.silero_network import WINDOW
from streamer.weights.manifest import require

METER = Meter(Monitor(), "vad")


def level_db(windows: WindowArray) -> float:
    return float(10 * np.log10(np.mean(np.square(windows)) + 1e-12))


def bursts(level: float, seed: int = 1, count: int = 200) -> WindowArray:
    """Noise that comes and goes as syllables do, on silence."""
    noise = np.random.default_rng(seed).normal(0, level, (count, WINDOW)).astype(np.float32)
    noise[np.arange(count) // 5 % 2 == 0] *= np.float32(1e-3)
    return noise


def quantized(samples: WindowArray) -> WindowArray:
    return np.asarray(np.round(samples * 32_768) / 32_768, np.float32)


@pytest.mark.parametrize("level", [0.003, 0.001, 0.0005])
def test_quiet_sounds_come_near_the_target(level: float) -> None:
    raised = InputGain().apply(bursts(level))[100:]
    loud = raised[np.arange(100) // 5 % 2 == 1]
    assert abs(level_db(loud) - TARGET_DB) < 3


def test_the_gain_has_a_limit() -> None:
    windows = bursts(1.2e-4)
    raised = InputGain().apply(windows)
    assert level_db(raised[100:]) - level_db(windows[100:]) == pytest.approx(MAX_GAIN_DB, abs=0.1)


def noise(level: float) -> WindowArray:
    return np.random.default_rng(1).normal(0, level, (300, WINDOW)).astype(np.float32)


def hum(level: float) -> WindowArray:
    times_s = np.arange(300 * WINDOW) / 16_000
    waves = sum(np.sin(2 * np.pi * 50 * k * times_s) / k for k in range(1, 9))
    return np.asarray(level * waves, np.float32).reshape(-1, WINDOW)


def clicks(level: float) -> WindowArray:
    windows = noise(1e-5)
    windows[10::20, 100:110] = level
    return windows


@pytest.mark.parametrize("sound", [noise, hum, clicks, bursts])
@pytest.mark.parametrize("level", [0.0, 1e-5, 1e-3, 0.1])
def test_silence_and_steady_noise_and_loud_sounds_are_not_touched(
    sound: Callable[[float], WindowArray], level: float
) -> None:
    windows = sound(level)
    if sound is bursts and 1e-4 < level < 0.02:
        return  # those are what it is for
    assert InputGain().apply(windows) is windows


def test_it_stays_in_silence_and_falls_with_louder_sound() -> None:
    gain = InputGain()
    gain.apply(bursts(0.001))
    silence = np.full((3_000, WINDOW), 1e-5, np.float32)
    in_silence = gain.apply(silence)
    assert level_db(in_silence[-1:]) == pytest.approx(level_db(in_silence[:1]), abs=1e-3)
    loud = noise(0.1)[:10]
    assert level_db(gain.apply(loud)[5:]) == pytest.approx(level_db(loud[5:]), abs=0.01)


@given(st.lists(st.integers(0, 200), max_size=20), st.sampled_from([0.3, 0.01, 0.001]))
def test_blocks_do_not_matter(cuts: list[int], level: float) -> None:
    windows = bursts(level)
    edges = [0, *sorted(cuts), 200]
    gain = InputGain()
    blocks = [gain.apply(windows[a:b]) for a, b in pairwise(edges)]
    whole = InputGain().apply(windows)
    np.testing.assert_allclose(np.concatenate(blocks), whole, rtol=1e-5)


@pytest.mark.parametrize("value", [0.0, 1e-45, 4e9, -4e9])
def test_samples_of_any_size_stay_finite(value: float) -> None:
    assert np.isfinite(InputGain().apply(np.full((9, WINDOW), value, np.float32))).all()


def segments(samples: WindowArray) -> list[tuple[int, int]]:
    """Where Silero and the segmenter find speech in float32 [n], with the default settings."""
    windows = samples[: len(samples) // WINDOW * WINDOW].reshape(-1, WINDOW)
    (path,) = require("silero-vad").glob("*.onnx")

    async def detect() -> list[float]:
        return await SileroVad(path, 0, METER).open().detect(windows)

    buffer = SampleBuffer()
    buffer.append(samples)
    settings = segmenter_settings(VadConfig(), None, 16_000)
    segmenter = Segmenter(settings, WINDOW, buffer)
    events = [e for p in asyncio.run(detect()) for e in segmenter.advance(p)]
    ends = [e for e in [*events, *segmenter.finish()] if isinstance(e, SegmentEnded)]
    return [(end.start, end.end) for end in ends]


@pytest.mark.parametrize("attenuation_db", [0, 20, 30, 40, 45])
def test_quiet_sentences_are_found(attenuation_db: float) -> None:
    samples, _ = soundfile.read(require("moonshine-tiny-en") / "beckett.wav", dtype="float32")
    expected = segments(samples)
    assert len(expected) == 6
    found = segments(quantized(samples * np.float32(10 ** (-attenuation_db / 20))))
    assert len(found) == 6
    for (start, end), (other_start, other_end) in zip(expected, found, strict=True):
        assert min(end, other_end) - max(start, other_start) > 0.7 * (end - start)


@pytest.mark.parametrize("level", [1e-4, 1e-3, 1e-2, 0.1])
def test_noise_is_no_speech_at_any_level(level: float) -> None:
    assert segments(quantized(noise(level).reshape(-1))) == []
    assert segments(quantized(hum(level).reshape(-1))) == []
