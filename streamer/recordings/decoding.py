"""A recording as float32 blocks: pure and synchronous, over PyAV (`part_decoder.py`).

Bytes of strangers reach C code here. The server calls it in a process of its own (`decoder.py`).
A length in a header is a hint: what is decoded is counted. What cannot be decoded is skipped, and
the report says so; an error is raised only when there is nothing to decode.
"""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

from streamer.recordings.containers import Found, find_container
from streamer.recordings.errors import AudioFileError
from streamer.recordings.joining import Joiner
from streamer.recordings.part_decoder import PartDecoder, Rows
from streamer.recordings.parts import Part, parts_of

TOLERANCE_S = 0.15
"""Seconds that a header may declare too many: containers count the encoder's delay, and whole
frames, in different ways."""

COUNTING = frozenset(("WAV", "AIFF", "AU", "CAF", "FLAC"))
"""Containers that count samples, and are exact with codecs that lose none."""


class Header(NamedTuple):
    """What a recording is.

    Attributes:
        container: One of `containers.DEMUXERS`.
        codec: FFmpeg's name of the decoder.
        sample_rate: Hz.
        channels: Samples per frame.
        duration_s: Declared; None = unknown.
    """

    container: str
    codec: str
    sample_rate: int
    channels: int
    duration_s: float | None


class Report(NamedTuple):
    """What came of a recording.

    Attributes:
        seconds: Decoded.
        missing_s: Declared and not there, where that is known; None = unknown.
        skipped_packets: That could not be decoded.
        bad_samples: That were not finite numbers, and were set to zero.
        warnings: What is missing or was skipped, in sentences; empty when nothing is.
    """

    seconds: float
    missing_s: float | None
    skipped_packets: int
    bad_samples: int
    warnings: tuple[str, ...]


class Decoding:
    """A recording, from its beginning to its end.

    Args:
        file: Open for reading, and able to seek; it stays open.
        called: What a message says of it.

    Raises:
        AudioFileError: Nothing in it can be decoded; the message says what it is.

    Attributes:
        header: What it is.
    """

    _first: tuple[Rows, int] | None

    def __init__(self, file: BinaryIO, called: str = "the file") -> None:
        self._begin(file, self._find(file, called))
        first = next(self._frames, None)
        if first is None:
            raise AudioFileError(self._nothing())
        rows, sample_rate = first
        self._first = first
        self.header = Header(
            self._kind, self._decoder.codec, sample_rate, len(rows), self._decoder.declared_s
        )

    def _begin(self, file: BinaryIO, found: Found) -> None:
        self._file = file
        self._found = found
        self._kind = found.kind
        self._decoder = self._new_decoder(file, found)
        self._emitted = 0
        self._first = None
        self._frames: Iterator[tuple[Rows, int]] = self._decode()

    def blocks(self, frames: int) -> Iterator[Rows]:
        """Yield the samples once, float32 [channels, n], finite.

        Args:
            frames: n of all blocks but the last.
        """
        waiting: list[Rows] = []
        count = 0
        for rows in self._joined():
            waiting.append(rows)
            count += rows.shape[1]
            if count < frames:
                continue
            whole = np.concatenate(waiting, axis=1)
            for start in range(0, count - frames + 1, frames):
                self._emitted += frames
                yield np.ascontiguousarray(whole[:, start : start + frames])
            rest = count % frames
            waiting, count = [whole[:, whole.shape[1] - rest :].copy()], rest
        if count:
            self._emitted += count
            yield np.ascontiguousarray(np.concatenate(waiting, axis=1))

    def pieces(self) -> Iterator[Rows]:
        """Yield the samples once, as soon as they are decoded; otherwise like `blocks`."""
        for rows in self._joined():
            self._emitted += rows.shape[1]
            yield rows

    @property
    def sample_format(self) -> str:
        """FFmpeg's name of what the decoder makes, such as s16 or fltp."""
        return self._decoder.sample_format

    @property
    def is_damaged(self) -> bool:
        """Whether a part of it was found to be damaged, so far as it is decoded."""
        return self._decoder.damage.found

    def report(self) -> Report:
        """What came of it; to be asked for after the last block."""
        seconds = self._emitted / self.header.sample_rate
        declared_s = self._decoder.declared_s
        missing_s = None
        if declared_s is not None:
            missing_s = max(0.0, declared_s - self._decoder.decoded_s)
            if missing_s <= self._tolerance_s():
                missing_s = 0.0
        damage, bad_samples = self._decoder.damage, self._decoder.bad_samples
        warnings = damage.sentences(declared_s or 0.0, seconds, missing_s or 0.0)
        return Report(seconds, missing_s, damage.packets, bad_samples, tuple(warnings))

    def _tolerance_s(self) -> float:
        if self._kind in COUNTING and self._decoder.codec.startswith(("pcm_", "flac")):
            return 0.5 / self.header.sample_rate
        return max(TOLERANCE_S, 2 * self._decoder.largest_frame / self.header.sample_rate)

    def _find(self, file: BinaryIO, called: str) -> Found:
        return find_container(file, called)

    def _new_decoder(self, file: BinaryIO, found: Found) -> PartDecoder:
        return PartDecoder(file, found)

    def _parts(self) -> Iterator[Part]:
        return parts_of(self._file, self._found, self._decoder.damage)

    def _joined(self) -> Iterator[Rows]:
        joiner = Joiner(self.header.sample_rate, self.header.channels)
        if self._first is not None:
            first, self._first = self._first, None
            yield from joiner.push(*first)
        for rows, sample_rate in self._frames:
            yield from joiner.push(rows, sample_rate)
        yield from joiner.finish()

    def _decode(self) -> Iterator[tuple[Rows, int]]:
        """The samples as they are decoded, with their rate."""
        for part in self._parts():
            yield from self._decoder.decode(part)

    def _nothing(self) -> str:
        damage = self._decoder.damage
        if damage.packets:
            return (
                f"the {self._kind} file is damaged: none of its {damage.packets} packets of "
                f"{self._decoder.codec} can be decoded"
            )
        if damage.gap_bytes or damage.reads:
            return f"the {self._kind} file is damaged or not complete: no audio can be found in it"
        return f"the {self._kind} file holds no audio"
