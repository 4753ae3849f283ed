"""One's own recordings, on which a model is checked too."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soxr

from streamer.check.probe_sounds import Floats, Sound
from streamer.config.file_problems import file_problem
from streamer.recordings.decoding import Decoding
from streamer.recordings.errors import AudioFileError
from streamer.weights.manifest import ModelError

_BLOCK_S = 10
"""Seconds that are decoded at a time."""


class CannotRead(ModelError):
    """A recording that cannot be read; the message is one line."""


class OwnRecording(NamedTuple):
    """A recording, decoded.

    Attributes:
        name: Of the file, without its folder.
        sample_rate: Hz.
        audio: float32 [channels, n].
    """

    name: str
    sample_rate: int
    audio: Floats

    def sounds(self, sample_rate: int) -> Iterator[Sound]:
        """Each channel, at the rate of the model."""
        for number, channel in enumerate(self.audio, 1):
            name = self.name if len(self.audio) == 1 else f"{self.name}, channel {number}"
            samples = soxr.resample(channel, self.sample_rate, sample_rate)
            yield Sound(name, np.asarray(samples, dtype=np.float32))


def read_recording(path: Path) -> OwnRecording:
    """Decode a whole recording.

    Raises:
        CannotRead: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            decoding = Decoding(file)
            rate = decoding.header.sample_rate
            audio = np.concatenate(list(decoding.blocks(_BLOCK_S * rate)), axis=1)
    except OSError as error:
        raise CannotRead(file_problem(path, error)) from error
    except AudioFileError as error:
        raise CannotRead(f"{path}: {error}") from error
    return OwnRecording(path.name, rate, audio)


def chunks_of(sound: Sound, sample_rate: int, chunk_s: float) -> Iterator[Sound]:
    """Cut a sound as `/api/v1/simple` does: into equal chunks, of which the last may be shorter."""
    length = round(chunk_s * sample_rate)
    for first in itertools.count(0, length):
        samples = sound.samples[first : first + length]
        if not len(samples):
            return
        start_s, end_s = first / sample_rate, (first + len(samples)) / sample_rate
        yield Sound(f"{sound.name}, {start_s:.2f} → {end_s:.2f} s", samples)
