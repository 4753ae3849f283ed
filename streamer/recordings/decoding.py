"""A recording as float32 blocks: pure and synchronous, over PyAV.

Bytes of strangers reach C code here. The server calls it in a process of its own (`decoder.py`).
A length in a header is a hint: what is decoded is counted. What cannot be decoded is skipped, and
the report says so; an error is raised only when there is nothing to decode.
"""

import errno
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, cast

import av
import numpy as np
import numpy.typing as npt
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container.input import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Discard

from streamer.audio.pcm import clean_floats
from streamer.recordings.codecs import ALLOWED
from streamer.recordings.containers import (
    DEMUXERS,
    Found,
    container_at,
    find_container,
    skip_tags,
)
from streamer.recordings.errors import AudioFileError
from streamer.recordings.joining import Joiner
from streamer.recordings.lengths import (
    declared_by_flac,
    declared_by_mp3,
    has_box,
    next_mp4,
)
from streamer.recordings.ogg import Link, Pages
from streamer.recordings.riff import open_wave
from streamer.recordings.view import View

Rows = npt.NDArray[np.float32]

TOLERANCE_S = 0.15
"""Seconds that a header of a lossy codec may declare too many: containers count the encoder's delay
and whole frames in different ways."""

MAX_READ_ERRORS = 16
"""Errors in a row, after each of which the demuxer is asked for the next packet."""

MAX_STREAMS = 64
"""Streams in a file."""

_OPTIONS = {
    "codec_whitelist": ",".join(sorted(ALLOWED)),
    "enable_drefs": "0",
    "format_whitelist": "aac,ac3,aiff,amr,asf,au,caf,eac3,flac,loas,matroska,webm,mov,mp4,m4a,3gp,"
    "3g2,mj2,mp3,ogg,wav",
    "ignore_chapters": "1",
    "max_streams": str(MAX_STREAMS),
    "protocol_whitelist": "none",
    "use_absolute_path": "0",
}
"""FFmpeg's own barriers; the unknown ones do no harm to other demuxers."""

_SCALES = {"u8": 2.0**-7, "s16": 2.0**-15, "s32": 2.0**-31, "s64": 2.0**-63}
_TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN", b"3DI")


class Header(NamedTuple):
    """What a recording is.

    Attributes:
        container: One of `DEMUXERS`.
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


class _Part(NamedTuple):
    """A file within the file, which FFmpeg gets as a whole."""

    kind: str
    demuxer: str
    view: "View | Link"
    declared_s: float | None


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

    def __init__(self, file: BinaryIO, called: str = "the file") -> None:
        self._file = file
        self._found = find_container(file, called)
        self._kind = self._found.kind
        self._codec = ""
        self._declared_s: float | None = None
        self._largest_frame = 0
        self._skipped = _Skipped()
        self._notes: list[str] = []
        self._bad_samples = 0
        self._emitted = 0
        self._decoded_s = 0.0
        self._frames = self._decode()
        first = next(self._frames, None)
        if first is None:
            raise AudioFileError(self._nothing())
        rows, sample_rate = first
        self._first: tuple[Rows, int] | None = first
        self.header = Header(self._kind, self._codec, sample_rate, len(rows), self._declared_s)

    def blocks(self, frames: int) -> Iterator[Rows]:
        """Yield the samples once, float32 [channels, n], finite.

        Args:
            frames: n of all blocks but the last.
        """
        joiner = Joiner(self.header.sample_rate, self.header.channels)
        waiting: list[Rows] = []
        count = 0
        for rows in self._joined(joiner):
            waiting.append(rows)
            count += rows.shape[1]
            if count < frames:
                continue
            whole = np.concatenate(waiting, axis=1)
            for start in range(0, count - frames + 1, frames):
                self._emitted += frames
                yield np.ascontiguousarray(whole[:, start : start + frames])
            rest = count % frames
            waiting, count = [whole[:, len(whole[0]) - rest :].copy()], rest
        if count:
            self._emitted += count
            yield np.concatenate(waiting, axis=1)

    def _joined(self, joiner: Joiner) -> Iterator[Rows]:
        if self._first is not None:
            first, self._first = self._first, None
            yield from joiner.push(*first)
        for rows, sample_rate in self._frames:
            yield from joiner.push(rows, sample_rate)
        yield from joiner.finish()

    def report(self) -> Report:
        """What came of it; call it after the last block."""
        seconds = self._emitted / self.header.sample_rate
        warnings = list(self._notes)
        missing_s = None
        if self._declared_s is not None:
            missing_s = max(0.0, self._declared_s - self._decoded_s)
            if missing_s <= self._tolerance_s():
                missing_s = 0.0
        if missing_s:
            warnings.insert(
                0,
                f"the {self._kind} file ends early or is damaged: its header declares "
                f"{_seconds(self._declared_s or 0.0)}, {_seconds(seconds)} are there, "
                f"{_seconds(missing_s)} are missing",
            )
        warnings += self._skipped.sentences(self._kind)
        return Report(seconds, missing_s, self._skipped.packets, self._bad_samples, tuple(warnings))

    def _tolerance_s(self) -> float:
        if self._kind in _EXACT and self._codec.startswith(("pcm_", "flac")):
            return 0.5 / self.header.sample_rate
        return max(TOLERANCE_S, 2 * self._largest_frame / self.header.sample_rate)

    def _decode(self) -> Iterator[tuple[Rows, int]]:
        """The samples as they are decoded, with their rate."""
        for part in self._parts():
            try:
                container = _open(part)
            except FFmpegError as error:
                _raise_out_of_memory(error)
                if self._codec:
                    self._notes.append(
                        f"another {part.kind} file follows in the same file and cannot be read"
                    )
                    continue
                raise AudioFileError(self._cannot_open(error)) from None
            try:
                stream = _audio_stream(container, part.kind)
            except AudioFileError:
                container.close()
                if not self._codec:
                    raise
                self._notes.append("another file follows in the same file, without audio")
                continue
            with container:
                if not self._codec:
                    self._codec = stream.codec_context.codec.name
                    declared_s = part.declared_s
                    if declared_s is None and part.kind not in _COUNTED:
                        declared_s = _declared(stream, container)
                    self._declared_s = declared_s
                yield from self._decode_part(container, stream)
            if isinstance(part.view, Link):
                part.view.finish()

    def _decode_part(
        self, container: InputContainer, stream: AudioStream
    ) -> Iterator[tuple[Rows, int]]:
        for packet in self._packets(container, stream):
            try:
                frames = stream.codec_context.decode(packet)
            except FFmpegError as error:
                _raise_out_of_memory(error)
                self._skipped.packet(packet, self._decoded_s)
                continue
            for frame in frames:
                if not frame.samples or not frame.sample_rate:
                    continue
                if frame.is_corrupt:
                    self._skipped.damaged += 1
                self._largest_frame = max(self._largest_frame, frame.samples)
                self._decoded_s += frame.samples / frame.sample_rate
                rows, bad = _rows(frame)
                self._bad_samples += bad
                yield rows, frame.sample_rate

    def _packets(
        self, container: InputContainer, stream: AudioStream
    ) -> Iterator["Packet[AudioStream]"]:
        errors = 0
        while True:
            try:
                for packet in container.demux(stream):
                    errors = 0
                    yield packet
            except FFmpegError as error:
                _raise_out_of_memory(error)
                errors += 1
                self._skipped.reads += 1
                if errors < MAX_READ_ERRORS:
                    continue
            return

    def _parts(self) -> Iterator[_Part]:
        file, found = self._file, self._found
        match found.kind:
            case "OGG":
                pages = Pages(file, found.start)
                while pages.peek() is not None:
                    yield _Part("OGG", "ogg", Link(pages), None)
                self._skipped.gap_bytes = pages.skipped_bytes
                self._skipped.pages = pages.damaged
            case "WAV":
                yield from self._waves(found)
            case "MP4":
                start: int | None = found.start
                while start is not None:
                    behind = next_mp4(file, start)
                    yield _Part("MP4", "mov", _Unsized(file, start, behind), None)
                    start = behind
            case "MP3":
                declared_s = declared_by_mp3(file, found.start)
                yield _Part("MP3", "mp3", View(file, found.start), declared_s)
            case "FLAC":
                declared_s = declared_by_flac(file, found.start)
                yield _Part("FLAC", "flac", View(file, found.start), declared_s)
            case kind:
                yield _Part(kind, DEMUXERS[kind], _Unsized(file, found.start), None)

    def _waves(self, found: Found) -> Iterator[_Part]:
        """A WAV file, and those that were appended to it."""
        following: Found | None = found
        while following is not None and following.kind == "WAV":
            wave = open_wave(self._file, following.start)
            declared_s = None
            if wave.declared_bytes is not None and wave.declared_bytes > wave.found_bytes:
                missing = wave.declared_bytes - wave.found_bytes
                seconds = (
                    f" ({_seconds(missing / wave.bytes_per_second)})"
                    if wave.bytes_per_second
                    else ""
                )
                self._notes.append(
                    f"the WAV file ends early: its header declares {wave.declared_bytes} bytes of "
                    f"samples, {wave.found_bytes} are there, {missing} bytes{seconds} are missing"
                )
            elif wave.declared_bytes is not None and wave.found_bytes and wave.bytes_per_second:
                declared_s = wave.found_bytes / wave.bytes_per_second
            yield _Part("WAV", wave.demuxer, wave.view, declared_s)
            end = skip_tags(self._file, wave.end)
            following = container_at(self._file, end) or container_at(self._file, end + 1)

    def _nothing(self) -> str:
        if self._skipped.packets:
            return (
                f"the {self._kind} file is damaged: none of its {self._skipped.packets} packets of "
                f"{self._codec} can be decoded"
            )
        return f"the {self._kind} file holds no audio"

    def _cannot_open(self, error: FFmpegError) -> str:
        if self._kind == "MP4" and not has_box(self._file, self._found.start, b"moov"):
            return (
                "the MP4 file is not complete: its index (the box 'moov') is missing, without "
                "which nothing can be decoded; the upload was cut off or the recording not ended"
            )
        reason = str(error.strerror or error).lower()
        return f"the {self._kind} file is damaged or not complete: {reason}"


_EXACT = frozenset(("WAV", "AIFF", "AU", "CAF", "FLAC"))
"""Containers that count samples; others count milliseconds or ticks."""

_COUNTED = frozenset(("OGG", "MP3", "FLAC", "AAC", "LATM", "AMR", "AC-3", "E-AC-3", "WAV"))
"""Containers of which FFmpeg only estimates a length, or whose own is read here."""


class _Unsized(View):
    """A view that does not reveal its size: FFmpeg would estimate a length from it."""

    def seek(self, offset: int, whence: int = 0) -> int:
        return -1 if whence == 2 else super().seek(offset, whence)


class _Skipped:
    """What could not be decoded."""

    def __init__(self) -> None:
        self.packets = 0
        self.packet_bytes = 0
        self.first_s = 0.0
        self.damaged = 0
        self.reads = 0
        self.gap_bytes = 0
        self.pages = 0

    def packet(self, packet: "Packet[AudioStream]", at_s: float) -> None:
        """Count one, unless it is a tag or nothing: those are no audio."""
        data = bytes(packet)
        if data.startswith(_TAGS) or not data.strip(b"\0"):
            return
        if not self.packets:
            self.first_s = at_s
        self.packets += 1
        self.packet_bytes += len(data)

    def sentences(self, kind: str) -> list[str]:
        """What happened."""
        said = []
        if self.packets:
            said.append(
                f"the {kind} file is damaged near {_seconds(self.first_s)}: {self.packets} packets "
                f"({self.packet_bytes} bytes) could not be decoded and were skipped"
            )
        if self.damaged:
            said.append(f"{self.damaged} frames of the {kind} file are damaged")
        if self.gap_bytes:
            said.append(
                f"the {kind} file is damaged or ends early: {self.gap_bytes} bytes belong to no "
                "whole page and were skipped"
            )
        if self.pages:
            said.append(
                f"{self.pages} pages of the {kind} file are damaged (their checksum is wrong); "
                "parts of their audio may be noise or missing"
            )
        if self.reads:
            said.append(
                f"the {kind} file is damaged or ends early: {self.reads} times it could not be "
                "read on; how much is missing is unknown"
            )
        return said


def _open(part: _Part) -> InputContainer:
    # A WAV file's header says all; FFmpeg would spend 6 ms in looking for DTS among the samples.
    options = _OPTIONS | {"probesize": "4096"} if part.kind == "WAV" else _OPTIONS
    return av.open(
        part.view,
        "r",
        format=part.demuxer,
        options=options,
        io_open=_refuse_to_open,
        metadata_errors="replace",
    )


def _refuse_to_open(url: str, flags: int, options: dict[str, str]) -> None:
    raise PermissionError(errno.EPERM, "a recording cannot refer to other files")


def _audio_stream(container: InputContainer, kind: str) -> AudioStream:
    """The first audio stream that can be decoded; all others are thrown away undecoded."""
    chosen, refused = None, ""
    for stream in container.streams:
        if chosen is None and isinstance(stream, AudioStream):
            # PyAV has no context where FFmpeg has no decoder; its types do not say so.
            context = cast("AudioCodecContext | None", stream.codec_context)
            name = "an unknown codec" if context is None else context.codec.name
            if name in ALLOWED:
                chosen = stream
                continue
            refused = refused or name
        stream.discard = Discard.all
    if chosen is not None:
        chosen.codec_context.thread_count = 1
        return chosen
    if refused:
        raise AudioFileError(
            f"the {kind} file holds audio of {refused}, which is not decoded here; convert it: "
            "ffmpeg -i FILE recording.wav"
        )
    if container.streams.video:
        raise AudioFileError(f"the {kind} file is a video without an audio track")
    raise AudioFileError(f"the {kind} file holds no audio track")


def _declared(stream: AudioStream, container: InputContainer) -> float | None:
    if stream.duration is not None and stream.time_base is not None and stream.duration > 0:
        return float(stream.duration * stream.time_base)
    if container.duration is not None and container.duration > 0:
        return container.duration / av.time_base
    return None


def _rows(frame: AudioFrame) -> tuple[Rows, int]:
    """Samples as finite float32 [channels, n], full scale 1.0, and how many were not finite."""
    samples = frame.to_ndarray()
    name = frame.format.name
    if not frame.format.is_planar:
        samples = samples.reshape(frame.samples, -1).T
    scale = _SCALES.get(name.removesuffix("p"))
    if scale is None:
        return clean_floats(cast("npt.NDArray[np.float32]", samples))
    rows = samples.astype(np.float32)
    if name.startswith("u8"):
        rows -= 128.0
    rows *= np.float32(scale)
    return rows, 0


def _raise_out_of_memory(error: FFmpegError) -> None:
    if error.errno == errno.ENOMEM:
        raise MemoryError from error


def _seconds(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds < 1 else f"{seconds:.2f} s"
