"""A live recording: FFmpeg decodes it, but what FFmpeg would wait for long before is cut up here.

FFmpeg looks at two seconds of a WAV file and at ten frames of a FLAC file before it begins.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import BinaryIO, cast

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.packet import Packet

from streamer.audio.format import AudioFormat
from streamer.audio.pcm import PcmDecoder
from streamer.recordings.arrival import READ_BYTES, Arrival, Stretch
from streamer.recordings.arriving import ArrivingRecording
from streamer.recordings.containers import Found
from streamer.recordings.errors import AudioFileError
from streamer.recordings.flac_frames import STREAM_INFO_BYTES, FlacFrames
from streamer.recordings.part_decoder import PartDecoder, Rows
from streamer.recordings.parts import Part
from streamer.recordings.view import Readable

_RIFF_BYTES = 12
_EXTENSIBLE = 0xFFFE
_TAGS: Mapping[int, tuple[str, bool]] = {
    1: ("pcm", False),
    3: ("pcm", True),
    6: ("alaw", False),
    7: ("mulaw", False),
}
"""Of a WAV file's samples: the encoding, and whether they are floats."""


class LiveRecording(ArrivingRecording):
    """See `ArrivingRecording`; nothing is kept in a file.

    Args:
        reader: At the first byte of the container.
        kind: Of the container.
        head: The first bytes, which `reader` will return too.
    """

    def __init__(self, reader: Readable, kind: str, head: bytes) -> None:
        super().__init__(reader, kind, head, may_keep=False)

    def _new_decoder(self, file: BinaryIO, found: Found) -> PartDecoder:
        return _LivePartDecoder(file, found)


class _LivePartDecoder(PartDecoder):
    """Cuts up FLAC and WAV itself, so that samples come as soon as their bytes."""

    def decode(self, part: Part) -> Iterator[tuple[Rows, int]]:
        match part.kind:
            case "FLAC":
                yield from self._decode_flac(part)
            case "WAV":
                yield from self._decode_wave(part)
            case _:
                yield from super().decode(part)

    def _decode_flac(self, part: Part) -> Iterator[tuple[Rows, int]]:
        flac = FlacFrames(part.view)
        if len(flac.stream_info) < STREAM_INFO_BYTES:
            raise AudioFileError("the FLAC file is damaged or not complete: its header is missing")
        context = av.CodecContext.create("flac", "r")
        assert isinstance(context, AudioCodecContext)
        context.extradata = flac.stream_info
        context.thread_count = 1
        self._begin_part(part, "flac")
        packets = (cast("Packet[AudioStream]", Packet(frame)) for frame in flac.frames())
        yield from self._decode_packets(packets, context)

    def _decode_wave(self, part: Part) -> Iterator[tuple[Rows, int]]:
        arrival = Arrival(part.view)
        # `arriving_wave.py` has made the header: the format, then the samples.
        size = struct.unpack("<I", arrival.look(_RIFF_BYTES + 8)[_RIFF_BYTES + 4 :])[0]
        begin = _RIFF_BYTES + 8 + size + size % 2 + 8
        found = pcm_format(arrival.look(begin)[_RIFF_BYTES + 8 :])
        if found is None or found.problem(found.channels) is not None:
            view = Stretch(arrival, _all(arrival))
            yield from super().decode(part._replace(view=view))
            return
        arrival.skip(begin)
        self._begin_part(part, f"pcm_{found.encoding}")
        decoder = PcmDecoder(found)
        while data := arrival.read(READ_BYTES):
            rows = decoder.decode(data)
            self.decoded_s += rows.shape[1] / found.sample_rate
            if rows.shape[1]:
                yield rows, found.sample_rate
        self.bad_samples += decoder.bad_samples

    def _begin_part(self, part: Part, codec: str) -> None:
        self.damage.new_part(part.kind)
        if not self.codec:
            self.codec, self.declared_s = codec, part.declared_s


def pcm_format(fmt: bytes) -> AudioFormat | None:
    """The format in the chunk `fmt ` of a little-endian WAV file; None = not PCM, nor G.711."""
    if len(fmt) < 16:
        return None
    tag, channels, rate, _, align, bits = struct.unpack_from("<HHIIHH", fmt)
    if tag == _EXTENSIBLE and len(fmt) >= 26:
        tag = int.from_bytes(fmt[24:26], "little")
    if tag not in _TAGS or bits * channels != 8 * align:
        return None
    encoding, is_float = _TAGS[tag]
    return AudioFormat(rate, channels, bits, is_float, encoding)  # type: ignore[arg-type]


def _all(arrival: Arrival) -> Iterator[int]:
    while arrival.look(1):
        yield READ_BYTES
