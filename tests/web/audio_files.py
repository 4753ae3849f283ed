"""WAV files for the page."""

import io

import numpy as np
import soundfile

from tools.harness.sounds import recording


def wav(*channels: np.ndarray, sample_rate: int) -> bytes:
    """A WAV file of these channels; the shorter ones end in silence."""
    samples = np.zeros((max(map(len, channels)), len(channels)))
    for number, channel in enumerate(channels):
        samples[: len(channel), number] = channel
    file = io.BytesIO()
    soundfile.write(file, samples, sample_rate, "PCM_16", format="WAV")
    return file.getvalue()


def beckett_wav(times: int = 1) -> bytes:
    """Ten seconds of speech, some times over."""
    samples, rate = recording("beckett.wav")
    return wav(np.tile(samples, times), sample_rate=rate)
