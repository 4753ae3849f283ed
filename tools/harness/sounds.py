"""Recorded speech with known words, in every format that can be sent."""

import io
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import jiwer
import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from streamer.weights.manifest import require

TWO_CITIES = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the "
    "age of foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the "
    "season of Light, it was the season of Darkness, it was the spring of hope, it was the winter "
    "of despair, we had everything before us, we had nothing before us, we were all going direct "
    "to Heaven, we were all going direct the other way – in short, the period was so far like the "
    "present period, that some of its noisiest authorities insisted on its being received, for "
    "good or for evil, in the superlative degree of comparison only."
)
BECKETT = "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better."

Float64Samples = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Audio:
    """PCM as it goes over the wire, and its `format`."""

    data: bytes
    sample_rate: int = 16_000
    channels: int = 1
    bit_depth: int = 16
    is_float: bool = False
    encoding: str = "pcm"

    @property
    def format(self) -> dict[str, Any]:
        """The `format` of a `start`."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        del fields["data"]
        return fields

    @property
    def bytes_per_frame(self) -> int:
        """Bytes of one sample of every channel."""
        return self.channels * self.bit_depth // 8

    @property
    def frames(self) -> int:
        """Samples of each channel."""
        return len(self.data) // self.bytes_per_frame

    @property
    def seconds(self) -> float:
        """Length."""
        return self.frames / self.sample_rate

    def part(self, start_s: float, end_s: float) -> bytes:
        """The bytes between two times."""
        first, last = (round(t * self.sample_rate) * self.bytes_per_frame for t in (start_s, end_s))
        return self.data[first:last]


SUBTYPES = {
    (8, False, "pcm"): "PCM_U8",
    (16, False, "pcm"): "PCM_16",
    (24, False, "pcm"): "PCM_24",
    (32, False, "pcm"): "PCM_32",
    (32, True, "pcm"): "FLOAT",
    (64, True, "pcm"): "DOUBLE",
    (8, False, "mulaw"): "ULAW",
    (8, False, "alaw"): "ALAW",
}
"""libsndfile's name of each format of the wire protocol: bits, float or not, encoding."""


def encode(
    samples: Float64Samples,
    sample_rate: int,
    bit_depth: int = 16,
    is_float: bool = False,
    encoding: str = "pcm",
) -> Audio:
    """Put samples [frames] or [frames, channels] into a format, with libsndfile."""
    subtype = SUBTYPES[bit_depth, is_float, encoding]
    file = io.BytesIO()
    soundfile.write(file, samples, sample_rate, subtype, "LITTLE", "RAW")
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    return Audio(file.getvalue(), sample_rate, channels, bit_depth, is_float, encoding)


@cache
def recording(name: str) -> tuple[Float64Samples, int]:
    """Samples [frames] and sample rate of one of the recordings that came with Moonshine."""
    samples, rate = soundfile.read(require("moonshine-tiny-en") / name)
    return samples, rate


@cache
def two_cities() -> Audio:
    """44 s at 48 kHz."""
    return encode(*recording("two_cities.wav"))


@cache
def beckett() -> Audio:
    """Ten seconds at 16 kHz, in six short sentences."""
    return encode(*recording("beckett.wav"))


@cache
def two_cities_by_telephone() -> Audio:
    """At 8 kHz, in µ-law."""
    samples, rate = recording("two_cities.wav")
    return encode(soxr.resample(samples, rate, 8_000), 8_000, 8, encoding="mulaw")


def silence(seconds: float, sample_rate: int = 16_000) -> Audio:
    """16-bit zeros."""
    return Audio(bytes(2 * round(seconds * sample_rate)), sample_rate)


def word_error_rate(reference: str, transcript: str) -> float:
    """The word error rate, 0 to 1, without regard to case and punctuation."""
    plain = [" ".join(re.findall(r"\w+", text.lower())) for text in (reference, transcript)]
    rate: float = jiwer.wer(plain[0], plain[1])
    return rate
