"""A recording as float32 blocks: pure and synchronous, over PyAV.

Bytes of strangers reach C code here. The server calls it in a process of its own (`decoder.py`).
A length in a header is a hint: what is decoded is counted. What cannot be decoded is skipped, and
the report says so; an error is raised only when there is nothing to decode.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, NamedTuple, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.container.input import InputContainer
from av.error import FFmpegError
from av.logging import Capture
from av.packet import Packet

from streamer.audio.frames import mpeg_frame
from streamer.recordings.containers import Found, find_container
from streamer.recordings.damage import Damage
from streamer.recordings.errors import AudioFileError
from streamer.recordings.joining import Joiner
from streamer.recordings.lengths import has_index
from streamer.recordings.opening import audio_stream, declared_seconds, open_container
from streamer.recordings.parts import COUNTED, Part, parts_of
from streamer.recordings.samples import rows_of

Rows = npt.NDArray[np.float32]
P = ParamSpec("P")
T = TypeVar("T")

TOLERANCE_S = 0.15
"""Seconds that a header may declare too many: containers count the encoder's delay, and whole
frames, in different ways."""

COUNTING = frozenset(("WAV", "AIFF", "AU", "CAF", "FLAC"))
"""Containers that count samples, and are exact with codecs that lose none."""

MAX_READ_ERRORS = 16
"""Errors in a row, after each of which the demuxer is asked for the next packet."""


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
        sample_format: FFmpeg's name of what the decoder makes, such as s16 or fltp.
    """

    _first: tuple[Rows, int] | None

    def __init__(self, file: BinaryIO, called: str = "the file") -> None:
        self._begin(file, self._find(file, called))
        first = next(self._frames, None)
        if first is None:
            raise AudioFileError(self._nothing())
        rows, sample_rate = first
        self._first = first
        self.header = Header(self._kind, self._codec, sample_rate, len(rows), self._declared_s)

    def _begin(self, file: BinaryIO, found: Found) -> None:
        self._file = file
        self._found = found
        self._kind = found.kind
        self._damage = Damage(self._kind)
        self._codec = ""
        self.sample_format = ""
        self._declared_s: float | None = None
        self._largest_frame = 0
        self._bad_samples = 0
        self._emitted = 0
        self._decoded_s = 0.0
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
    def is_damaged(self) -> bool:
        """Whether a part of it was found to be damaged, so far as it is decoded."""
        return self._damage.found

    def report(self) -> Report:
        """What came of it; to be asked for after the last block."""
        seconds = self._emitted / self.header.sample_rate
        missing_s = None
        if self._declared_s is not None:
            missing_s = max(0.0, self._declared_s - self._decoded_s)
            if missing_s <= self._tolerance_s():
                missing_s = 0.0
        damage = self._damage
        warnings = damage.sentences(self._declared_s or 0.0, seconds, missing_s or 0.0)
        return Report(seconds, missing_s, damage.packets, self._bad_samples, tuple(warnings))

    def _tolerance_s(self) -> float:
        if self._kind in COUNTING and self._codec.startswith(("pcm_", "flac")):
            return 0.5 / self.header.sample_rate
        return max(TOLERANCE_S, 2 * self._largest_frame / self.header.sample_rate)

    def _find(self, file: BinaryIO, called: str) -> Found:
        return find_container(file, called)

    def _parts(self) -> Iterator[Part]:
        return parts_of(self._file, self._found, self._damage)

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
            yield from self._decode_file(part)

    def _decode_file(self, part: Part) -> Iterator[tuple[Rows, int]]:
        if (opened := self._open(part)) is None:
            return
        container, stream = opened
        self._damage.new_part(part.kind)
        with container:
            if not self._codec:
                self._codec = stream.codec_context.codec.name
                self._declared_s = part.declared_s
                if self._declared_s is None and part.kind not in COUNTED:
                    self._declared_s = declared_seconds(container, stream)
            packets = self._packets(container, stream)
            yield from self._decode_packets(packets, stream.codec_context)

    def _open(self, part: Part) -> tuple[InputContainer, AudioStream] | None:
        """A part's container and audio; None when a later one has none that can be decoded."""
        try:
            container = self._logged(
                open_container, part.demuxer, part.view, arriving=part.arriving
            )
        except FFmpegError as error:
            problem = AudioFileError(self._cannot_open(part.kind, error))
        else:
            try:
                return container, audio_stream(container, part.kind)
            except AudioFileError as error:
                container.close()
                problem = error
        if not self._codec:
            raise problem
        self._damage.left_out(part.kind, problem)
        return None

    def _decode_packets(
        self, packets: "Iterable[Packet[AudioStream]]", context: AudioCodecContext
    ) -> Iterator[tuple[Rows, int]]:
        last: tuple[bytes, int] | None = None
        for packet in packets:
            self._damage.timed(packet, self._decoded_s)
            if packet.size:
                last = bytes(packet)[:8], packet.size
            try:
                frames = self._logged(context.decode, packet)
            except FFmpegError:
                self._damage.undecodable(packet, self._decoded_s)
                continue
            for frame in frames:
                if not frame.samples or not frame.sample_rate:
                    continue
                self._damage.frames += frame.is_corrupt
                self.sample_format = self.sample_format or frame.format.name
                self._largest_frame = max(self._largest_frame, frame.samples)
                self._decoded_s += frame.samples / frame.sample_rate
                rows, bad = rows_of(frame)
                self._bad_samples += bad
                yield rows, frame.sample_rate
        if self._kind == "MP3" and last and not self._damage.packets:
            self._check_last(*last)

    def _check_last(self, head: bytes, size: int) -> None:
        """An MP3 has no length that can be relied on; but its last frame may be cut off."""
        frame = mpeg_frame(head)
        if frame is not None and size < frame.size:
            self._damage.reads += 1

    def _packets(
        self, container: InputContainer, stream: AudioStream
    ) -> Iterator["Packet[AudioStream]"]:
        errors = 0
        packets = container.demux(stream)
        while True:
            try:
                packet = self._logged(next, packets, None)
            except FFmpegError:
                errors += 1
                self._damage.reads += 1
                if errors == MAX_READ_ERRORS:
                    return
                packets = container.demux(stream)
                continue
            if packet is None:
                return
            errors = 0
            yield packet

    def _logged(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        with Capture() as lines:
            try:
                return call(*args, **kwargs)
            finally:
                self._damage.logged(lines)

    def _nothing(self) -> str:
        if self._damage.packets:
            return (
                f"the {self._kind} file is damaged: none of its {self._damage.packets} packets of "
                f"{self._codec} can be decoded"
            )
        if self._damage.gap_bytes or self._damage.reads:
            return f"the {self._kind} file is damaged or not complete: no audio can be found in it"
        return f"the {self._kind} file holds no audio"

    def _cannot_open(self, kind: str, error: FFmpegError) -> str:
        is_first = not self._codec
        if is_first and kind == "MP4" and not has_index(self._file, self._found.start):
            return (
                "the MP4 file is not complete: its index (the box 'moov') is missing, without "
                "which nothing can be decoded; the upload was cut off or the recording not ended"
            )
        reason = str(error.strerror or error).lower()
        return f"the {kind} file is damaged or not complete: {reason}"
