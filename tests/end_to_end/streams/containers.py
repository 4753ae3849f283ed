"""Speech in containers, as browsers, phones and programs stream it."""

from functools import cache

import numpy as np
import soxr

from tests.recordings.makers import encoded, wav
from tools.harness.sounds import recording

AUTO = {"encoding": "auto"}
"""The `format` of a stream in a container."""

PAGE_100_MS = {"page_duration": "100000"}


@cache
def beckett_samples(sample_rate: int = 16_000) -> np.ndarray:
    """Ten seconds of speech, float32 [1, n]."""
    samples, rate = recording("beckett.wav")
    if rate != sample_rate:
        samples = soxr.resample(samples, rate, sample_rate)
    return samples.astype(np.float32)[np.newaxis]


@cache
def speech(kind: str) -> bytes:
    """Ten seconds of speech in a kind of container."""
    match kind:
        case "WebM/Opus":
            # As MediaRecorder makes it: clusters of unknown length, no index.
            options = {"live": "1", "cluster_time_limit": "250"}
            samples = beckett_samples(48_000)
            return encoded(samples, 48_000, "webm", "libopus", options, pipe=True, bit_rate=32_000)
        case "Ogg/Opus":
            samples = beckett_samples(48_000)
            return encoded(samples, 48_000, "ogg", "libopus", PAGE_100_MS, pipe=True)
        case "MP3":
            samples = beckett_samples()
            return encoded(samples, 16_000, "mp3", "libmp3lame", pipe=True, bit_rate=64_000)
        case "FLAC":
            samples = beckett_samples()
            return encoded(samples, 16_000, "flac", "flac", pipe=True)
        case "ADTS":
            samples = beckett_samples()
            return encoded(samples, 16_000, "adts", "aac", pipe=True, bit_rate=64_000)
        case "MP4":
            options = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
            samples = beckett_samples(48_000)
            fragments = options | {"frag_duration": "250000"}
            return encoded(samples, 48_000, "mp4", "aac", fragments, pipe=True, bit_rate=64_000)
        case "WAV":
            return wav(beckett_samples(), 16_000)
    raise ValueError(kind)


KINDS = ("WebM/Opus", "Ogg/Opus", "MP3", "FLAC", "ADTS", "MP4", "WAV")
"""Of `speech`."""
