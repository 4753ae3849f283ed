"""Opening a file with FFmpeg: a demuxer that is named, codecs from a list, and nothing else."""

import errno
from typing import cast

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.container.input import InputContainer
from av.stream import Discard

from streamer.recordings.codecs import ALLOWED
from streamer.recordings.errors import AudioFileError
from streamer.recordings.view import Readable

MAX_STREAMS = 64
"""Streams in a file."""

WAV_PROBE_BYTES = 4_096
"""Bytes of samples that FFmpeg looks at in a WAV file, whose header says all; by default it spends
6 ms in looking for DTS among them."""

_OPTIONS = {
    "codec_whitelist": ",".join(sorted(ALLOWED)),
    # Of mov: no media in other files, no absolute paths to them.
    "enable_drefs": "0",
    "use_absolute_path": "0",
    "ignore_chapters": "1",
    "format_whitelist": "aac,ac3,aiff,amr,asf,au,caf,eac3,flac,loas,matroska,webm,mov,mp4,m4a,3gp,"
    "3g2,mj2,mp3,ogg,wav",
    "max_streams": str(MAX_STREAMS),
    "protocol_whitelist": "none",
}
"""FFmpeg's own barriers; what a demuxer does not know does no harm to it."""

_ARRIVING = {"analyzeduration": "1", "probesize": "4096"}
"""Microseconds and bytes that FFmpeg looks at before it decodes: 0.3 s of MP3, AAC or AMR have to
arrive before the first sample comes, instead of 1.5 to 3 s."""

# Errors go to the captures of `part_decoder.py`, and nowhere else.
av.logging.set_level(av.logging.ERROR)
av.logging.set_skip_repeated(False)


def open_container(demuxer: str, view: Readable, *, arriving: bool = False) -> InputContainer:
    """Open a file.

    Args:
        demuxer: FFmpeg's name; no other is tried.
        view: The file.
        arriving: It comes from a pipe: decode as soon as there is something to decode.

    Raises:
        FFmpegError: It cannot be opened.
    """
    options = dict(_OPTIONS)
    if demuxer == "wav":
        options["probesize"] = str(WAV_PROBE_BYTES)
    if arriving:
        options |= _ARRIVING
    return av.open(
        view,
        "r",
        format=demuxer,
        options=options,
        io_open=_refuse_to_open,
        metadata_errors="replace",
    )


def _refuse_to_open(url: str, flags: int, options: dict[str, str]) -> None:
    raise PermissionError(errno.EPERM, "a recording cannot refer to other files")


def audio_stream(container: InputContainer, kind: str) -> AudioStream:
    """The first audio stream that can be decoded; all others are thrown away undecoded.

    Raises:
        AudioFileError: There is none.
    """
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


def declared_seconds(container: InputContainer, stream: AudioStream) -> float | None:
    """The length that a container's header declares; None = unknown."""
    if stream.duration is not None and stream.time_base is not None and stream.duration > 0:
        return float(stream.duration * stream.time_base)
    if container.duration is not None and container.duration > 0:
        return container.duration / av.time_base
    return None
