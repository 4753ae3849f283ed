"""The parts of a recording, decoded by FFmpeg, one after another; what goes wrong is counted."""

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.container.input import InputContainer
from av.error import FFmpegError
from av.logging import Capture
from av.packet import Packet

from streamer.audio.frames import mpeg_frame
from streamer.recordings.containers import Found
from streamer.recordings.damage import Damage
from streamer.recordings.errors import AudioFileError
from streamer.recordings.lengths import has_index
from streamer.recordings.opening import audio_stream, declared_seconds, open_container
from streamer.recordings.parts import COUNTED, Part
from streamer.recordings.samples import rows_of

Rows = npt.NDArray[np.float32]
P = ParamSpec("P")
T = TypeVar("T")

MAX_READ_ERRORS = 16
"""Errors in a row, after each of which the demuxer is asked for the next packet."""


class PartDecoder:
    """Decodes the parts of one recording.

    Args:
        file: The recording, or its beginning.
        found: What container it is, and where it begins.

    Attributes:
        damage: What could not be decoded.
        codec: FFmpeg's name of the first part's decoder; empty = nothing is decoded yet.
        sample_format: FFmpeg's name of what it makes, such as s16 or fltp.
        declared_s: Seconds that the first part declares; None = unknown.
        decoded_s: Seconds decoded so far.
        largest_frame: Samples of each channel, of what the codec decodes at once.
        bad_samples: That were not finite numbers, and were set to zero.
    """

    def __init__(self, file: BinaryIO, found: Found) -> None:
        self._file = file
        self._found = found
        self._kind = found.kind
        self.damage = Damage(found.kind)
        self.codec = ""
        self.sample_format = ""
        self.declared_s: float | None = None
        self.decoded_s = 0.0
        self.largest_frame = 0
        self.bad_samples = 0

    def decode(self, part: Part) -> Iterator[tuple[Rows, int]]:
        """Yield the samples of a part, float32 [channels, n], and their rate in Hz.

        Raises:
            AudioFileError: It is the first part, and cannot be decoded.
        """
        if (opened := self._open(part)) is None:
            return
        container, stream = opened
        self.damage.new_part(part.kind)
        with container:
            if not self.codec:
                self.codec = stream.codec_context.codec.name
                self.declared_s = part.declared_s
                if self.declared_s is None and part.kind not in COUNTED:
                    self.declared_s = declared_seconds(container, stream)
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
        if not self.codec:
            raise problem
        self.damage.left_out(part.kind, problem)
        return None

    def _decode_packets(
        self, packets: "Iterable[Packet[AudioStream]]", context: AudioCodecContext
    ) -> Iterator[tuple[Rows, int]]:
        last: tuple[bytes, int] | None = None
        for packet in packets:
            self.damage.timed(packet, self.decoded_s)
            if packet.size:
                last = bytes(packet)[:8], packet.size
            try:
                frames = self._logged(context.decode, packet)
            except FFmpegError:
                self.damage.undecodable(packet, self.decoded_s)
                continue
            for frame in frames:
                if not frame.samples or not frame.sample_rate:
                    continue
                self.damage.frames += frame.is_corrupt
                self.sample_format = self.sample_format or frame.format.name
                self.largest_frame = max(self.largest_frame, frame.samples)
                self.decoded_s += frame.samples / frame.sample_rate
                rows, bad = rows_of(frame)
                self.bad_samples += bad
                yield rows, frame.sample_rate
        if self._kind == "MP3" and last and not self.damage.packets:
            self._check_last(*last)

    def _check_last(self, head: bytes, size: int) -> None:
        """An MP3 has no length that can be relied on; but its last frame may be cut off."""
        frame = mpeg_frame(head)
        if frame is not None and size < frame.size:
            self.damage.reads += 1

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
                self.damage.reads += 1
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
                self.damage.logged(lines)

    def _cannot_open(self, kind: str, error: FFmpegError) -> str:
        is_first = not self.codec
        if is_first and kind == "MP4" and not has_index(self._file, self._found.start):
            return (
                "the MP4 file is not complete: its index (the box 'moov') is missing, without "
                "which nothing can be decoded; the upload was cut off or the recording not ended"
            )
        reason = str(error.strerror or error).lower()
        return f"the {kind} file is damaged or not complete: {reason}"
