"""Whether audio holds any speech: decided before and after inference, as Moonshine invents words.

For zeros, dither, hum or rain it answers "You", "Thank you for watching!" or endless notes, and is
as certain of them as of words that were said. So its own certainty is no criterion, and the gate
uses Silero's network, at a level that does not depend on how loud the recording is.

Its thresholds favour speech: in pieces of half a second to two seconds of 52 sentences, at 0, -20
and -40 dB, and with noise as loud as the speech, no word was lost that the model otherwise finds.
Twice these thresholds lost none either.

After inference there are a text and its probability. Then Silero has to find more speech, unless
the probability is greater than that of any text for noise.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from streamer.onnx.graph import Floats
from streamer.vad.silero_network import CONTEXT, SAMPLE_RATE, WINDOW, SileroNetwork


class Threshold(NamedTuple):
    """There is speech where at least `windows` windows of 32 ms have at least `probability`."""

    probability: float
    windows: int


INFERENCE_THRESHOLD = Threshold(0.3, 2)
"""Below it, a segment is not inferred."""

TEXT_THRESHOLD = Threshold(0.7, 5)
"""Below it, a text counts only if the model is certain of it. Tiny's 14 texts for 47 pieces of
noise had 4 windows at most, but for one with 14 (a chain saw). Its texts for speech (2826 words in
pieces of 1 to 20 s, also with noise as loud as the speech) had 16 at least. Of 145 pieces of words
of 0.35 to 0.8 s at 0, -20 and -50 dB, one was below it.
"""

MIN_CERTAIN_MEAN = -0.15
"""Mean log probability of a text's tokens from which on the model is certain of it. None of Tiny's
texts for noise reached it; the nearest had -0.19, and "Thank you for watching." -0.30."""

START_THRESHOLD = Threshold(0.5, 1)
"""Silero's own threshold: where speech begins, in audio that holds some."""

SILENT_PEAK = 1e-6
"""Amplitude, a thirtieth of the smallest step of 16 bits. Below it there is only a constant."""

PEAK, TYPICAL = 0.5, 0.05
"""Amplitudes to which the largest sample, and the root mean square of the median window, are
scaled. The second is for quiet speech beside a loud click."""

MIN_GAIN_RATIO = 2.0
"""The second scaling is tried if it is louder than the first by this factor."""

BLOCK = 16
"""Windows (half a second) that the network gets at once; mostly, they are enough."""

STEADY_DB = 1.0
"""Decibels. A sound is steady when the level of none of its bands deviates more (standard
deviation over time): hum of 45 to 130 Hz 0.5 at most, half a second of speech 1.3 at least."""

MIN_STEADY_S = 0.5
"""Seconds. A shorter sound may be a vowel."""

STEADY_WINDOW, STEADY_HOP = 1_024, 512
"""Samples. A window of 64 ms holds three periods of mains hum, so that its pulses do not count."""

BANDS = (6, 20, 40, 80, 160, 320, 512)
"""Edges in multiples of 15.6 Hz: from 94 Hz to 8 kHz in octaves, roughly."""

FLOOR = 1e-3
"""Share of the mean power below which a band counts as empty."""


class SpeechGate:
    """Finds out whether a segment may hold speech.

    Args:
        network: None when its weights are not on this machine: then only constants and steady
            sounds are recognized.
    """

    def __init__(self, network: SileroNetwork | None) -> None:
        self._network = network

    def may_hold_speech(self, samples: Floats) -> bool:
        """Whether float32 [n] at 16 kHz may hold speech."""
        return self._holds_speech(samples, INFERENCE_THRESHOLD)

    def confirms(self, samples: Floats, log_probabilities: Sequence[float]) -> bool:
        """Whether a text that was found in float32 [n] at 16 kHz is speech.

        Args:
            samples: The audio.
            log_probabilities: Of the text's tokens. Empty = unknown.
        """
        if (
            log_probabilities
            and sum(log_probabilities) / len(log_probabilities) >= MIN_CERTAIN_MEAN
        ):
            return True
        return self._network is None or self._holds_speech(samples, TEXT_THRESHOLD)

    def speech_start(self, samples: Floats) -> int:
        """The sample of float32 [n] at 16 kHz at which speech may begin; 0 if that is unknown."""
        return (self._find_speech(samples, START_THRESHOLD) or 0) if self._network else 0

    def _holds_speech(self, samples: Floats, threshold: Threshold) -> bool:
        return self._find_speech(samples, threshold) is not None

    def _find_speech(self, samples: Floats, threshold: Threshold) -> int | None:
        """The first sample of the speech; None where there is less than the threshold."""
        if not len(samples):
            return None
        centred = samples - samples.mean()
        peak = float(np.abs(centred).max())
        if peak < SILENT_PEAK or is_steady(centred):
            return None
        if self._network is None:
            return 0
        gain = PEAK / peak
        start = _first_speech(self._network, centred * gain, threshold)
        louder = TYPICAL / max(_median_level(centred), SILENT_PEAK)
        if start is None and louder > MIN_GAIN_RATIO * gain:
            start = _first_speech(self._network, np.clip(centred * louder, -1, 1), threshold)
        return start


def _first_speech(network: SileroNetwork, samples: Floats, threshold: Threshold) -> int | None:
    audio = np.pad(samples.astype(np.float32), (CONTEXT, -len(samples) % WINDOW))
    state = network.start()
    found: list[int] = []
    for first in range(0, len(audio) - CONTEXT, BLOCK * WINDOW):
        block = audio[first : first + CONTEXT + BLOCK * WINDOW]
        probabilities, state = network.follow(block, state)
        likely = np.flatnonzero(np.asarray(probabilities) >= threshold.probability)
        found += (first + likely * WINDOW).tolist()
        if len(found) >= threshold.windows:
            return found[0]
    return None


def is_steady(samples: Floats) -> bool:
    """Whether the spectrum of float32 [n] at 16 kHz stays as it is, as that of hum."""
    if len(samples) < MIN_STEADY_S * SAMPLE_RATE:
        return False
    windows = np.lib.stride_tricks.sliding_window_view(samples, STEADY_WINDOW)[::STEADY_HOP]
    powers = np.square(np.abs(np.fft.rfft(windows * np.hanning(STEADY_WINDOW), axis=1)))
    bands = np.stack([powers[:, low:high].sum(axis=1) for low, high in pairwise(BANDS)])
    if not bands.any():
        return True
    levels_db = 10 * np.log10(bands + FLOOR * bands.sum(axis=0).mean())
    return float(levels_db.std(axis=1).max()) < STEADY_DB


def _median_level(samples: Floats) -> float:
    """Root mean square of the median window."""
    windows = np.pad(samples, (0, -len(samples) % WINDOW)).reshape(-1, WINDOW)
    return float(np.median(np.sqrt(np.square(windows).mean(axis=1))))
