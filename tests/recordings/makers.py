"""Recordings as real tools write them, made by FFmpeg's encoders or byte by byte."""

import io
import struct
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container.input import InputContainer
from av.container.output import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streamer.recordings.ogg import with_checksum

Samples = npt.NDArray[np.float32]


def sound(seconds: float, sample_rate: int, channels: int = 1) -> Samples:
    """Something like speech, [channels, n]: bursts of a buzz that glides; each channel differs."""
    time_s = np.arange(round(seconds * sample_rate)) / sample_rate
    rows = []
    for channel in range(channels):
        pitch_hz = 110 * (channel + 1) + 30 * np.sin(2 * np.pi * 0.7 * time_s)
        phase = 2 * np.pi * np.cumsum(pitch_hz) / sample_rate
        buzz = sum(np.sin(k * phase) / k for k in range(1, 12))
        rows.append(0.2 * buzz * (0.55 + 0.45 * np.sin(2 * np.pi * 3 * time_s)))
    return np.array(rows, np.float32)


class Pipe(io.BytesIO):
    """A file that cannot seek: lengths that were not known first stay unknown."""

    def seekable(self) -> bool:
        return False

    def seek(self, offset: int, whence: int = 0) -> int:
        raise OSError("a pipe cannot seek")


def encoded(
    samples: Samples,
    sample_rate: int,
    container: str,
    codec: str,
    options: Mapping[str, str] | None = None,
    *,
    pipe: bool = False,
    video: bool = False,
    bit_rate: int = 0,
    quality: int = 0,
) -> bytes:
    """A file with samples [channels, n]; `container` and `codec` are FFmpeg's names.

    With `quality`, of libmp3lame, the bit rate varies.
    """
    file = Pipe() if pipe else io.BytesIO()
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[len(samples)]
    with av.open(file, "w", format=container, options=dict(options or {})) as out:
        picture = _add_picture(out) if video else None
        stream = out.add_stream(codec, rate=sample_rate)
        assert isinstance(stream, AudioStream)
        stream.layout = layout
        if bit_rate:
            stream.bit_rate = bit_rate
        stream.time_base = Fraction(1, sample_rate)
        # FFmpeg's own Vorbis encoder is experimental.
        stream.codec_context.options = {"strict": "experimental"}
        if quality:
            stream.codec_context.options = {"global_quality": str(quality * 118)}
            stream.codec_context.qscale = True
        if picture is not None:
            _draw(out, picture, round(samples.shape[1] / sample_rate * 5))
        size = stream.codec_context.frame_size or 1_000
        for position in range(0, samples.shape[1], size):
            block = np.ascontiguousarray(samples[:, position : position + size])
            frame = AudioFrame.from_ndarray(block, "fltp", layout)
            frame.sample_rate = sample_rate
            frame.pts = position
            frame.time_base = Fraction(1, sample_rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return file.getvalue()


def _add_picture(out: OutputContainer) -> VideoStream:
    picture = out.add_stream("mpeg4", rate=5)
    assert isinstance(picture, VideoStream)
    picture.width = picture.height = 32
    picture.pix_fmt = "yuv420p"
    return picture


def _draw(out: OutputContainer, picture: VideoStream, frames: int) -> None:
    for number in range(frames):
        frame = VideoFrame(32, 32, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts = number
        out.mux(picture.encode(frame))
    out.mux(picture.encode(None))


def faststart(body: bytes, folder: Path) -> bytes:
    """An MP4 with its index in front: FFmpeg moves it in a file with a name."""
    path = folder / "moved.mp4"
    with (
        av.open(io.BytesIO(body)) as given,
        av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as out,
    ):
        assert isinstance(given, InputContainer)
        assert isinstance(out, OutputContainer)
        stream = out.add_stream_from_template(given.streams.audio[0])
        for packet in given.demux(audio=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    return path.read_bytes()


def wav(samples: Samples, sample_rate: int, *, order: str = "<") -> bytes:
    """16-bit PCM in a WAV file with the two chunks that it needs."""
    return riff(wav_chunks(samples, sample_rate, order=order), order=order)


def wav_chunks(
    samples: Samples, sample_rate: int, *, order: str = "<"
) -> list[tuple[bytes, bytes]]:
    """The chunks of a 16-bit WAV file."""
    data = (samples.T * 32_767).astype(order + "i2").tobytes()
    channels = len(samples)
    fmt = struct.pack(
        order + "HHIIHH", 1, channels, sample_rate, sample_rate * 2 * channels, 2 * channels, 16
    )
    return [(b"fmt ", fmt), (b"data", data)]


def riff(
    chunks: Iterable[tuple[bytes, bytes]],
    *,
    order: str = "<",
    sizes: Mapping[bytes, int] | None = None,
    padded: bool = True,
) -> bytes:
    """A RIFF file; `sizes` are declared in place of the real ones."""
    body = b"WAVE"
    for name, content in chunks:
        size = (sizes or {}).get(name, len(content))
        body += name + struct.pack(order + "I", size) + content
        body += b"\0" * (len(content) % 2 if padded else 0)
    magic = b"RIFX" if order == ">" else b"RIFF"
    return magic + struct.pack(order + "I", len(body)) + body


def id3(size: int) -> bytes:
    """An ID3v2 tag with `size` bytes of padding."""
    return b"ID3\x04\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + bytes(size)


def without_end_flag(ogg: bytes) -> bytes:
    """An OGG file whose last page does not say that it is the last one."""
    place = ogg.rindex(b"OggS")
    last = ogg[place : place + 5] + bytes([ogg[place + 5] & ~4]) + ogg[place + 6 :]
    return ogg[:place] + with_checksum(last)


def multiplexed(first: bytes, second: bytes) -> bytes:
    """Two OGG streams in one: the first pages of both, then the others in turn."""
    queues = [pages(first), pages(second)]
    found = [queue.pop(0) for queue in queues]
    while any(queues):
        found += [queue.pop(0) for queue in queues if queue]
    return b"".join(found)


def pages(ogg: bytes) -> list[bytes]:
    """The pages of an OGG file."""
    found, position = [], 0
    while position < len(ogg):
        segments = ogg[position + 26]
        length = 27 + segments + sum(ogg[position + 27 : position + 27 + segments])
        found.append(ogg[position : position + length])
        position += length
    return found


def with_serial(ogg: bytes, serial: int) -> bytes:
    """An OGG file with another stream number."""
    return b"".join(
        with_checksum(page[:14] + struct.pack("<I", serial) + page[18:]) for page in pages(ogg)
    )
