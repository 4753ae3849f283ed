"""The audio on which a model is checked."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from streamer.weights.sample import sample_recording

Floats = npt.NDArray[np.float32]

SHORT_S = 0.1
"""Seconds. About the shortest possible segment: a short `vad.min_speech_ms` without padding."""

SAMPLE_S = 5.0
"""Seconds of speech."""


class Sound(NamedTuple):
    """A name, and audio, float32 [n]."""

    name: str
    samples: Floats


def sounds(sample_rate: int, longest_s: float) -> tuple[Sound, ...]:
    """One sound of each kind at `sample_rate` Hz; the last has `longest_s` seconds."""
    name, speech = _speech(sample_rate)
    second = sample_rate
    noise = 0.1 * np.random.default_rng(0).standard_normal(second)
    return (
        Sound("silence", np.zeros(second, dtype=np.float32)),
        Sound("noise", noise.astype(np.float32)),
        Sound(name, speech),
        Sound(f"{name}, short", speech[second : second + int(SHORT_S * second)]),
        Sound(f"{name}, long", np.resize(speech, int(longest_s * second))),
    )


def _speech(sample_rate: int) -> tuple[str, Floats]:
    """A recording that comes with a model; where that is not fetched, a synthetic voice."""
    path = sample_recording()
    if path is None:
        return "made-up voice", _voice(sample_rate)
    try:
        with soundfile.SoundFile(path) as recording:
            audio = recording.read(int(SAMPLE_S * recording.samplerate), dtype="float32")
            rate = recording.samplerate
        return "speech", np.asarray(soxr.resample(audio, rate, sample_rate), dtype=np.float32)
    except soundfile.LibsndfileError:
        return "made-up voice", _voice(sample_rate)


def _voice(sample_rate: int) -> Floats:
    """A buzz of 120 Hz with overtones, four syllables a second."""
    time_s = np.arange(int(SAMPLE_S * sample_rate)) / sample_rate
    highest = min(20, int(sample_rate / 2 / 120))
    buzz = sum(np.sin(2 * np.pi * 120 * k * time_s) / k for k in range(1, highest + 1))
    return np.asarray(0.2 * buzz * np.sin(np.pi * 4 * time_s) ** 2, dtype=np.float32)
