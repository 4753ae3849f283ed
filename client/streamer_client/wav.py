"""Where the samples are in a WAV file, and what they are: a walk over its RIFF chunks."""

import struct
from io import BytesIO
from typing import BinaryIO, Literal, NamedTuple

from streamer.recordings.riff import UNKNOWN_BYTES, UNKNOWN_LONG_BYTES
from streamer_client.formats import AudioFormat

_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 0x0001, 0x0003, 0x0006, 0x0007, 0xFFFE
_UNKNOWN_SIZE = 0xFFFFFFFF


class WavIncomplete(Exception):
    """More of the file is needed."""


class WavData(NamedTuple):
    """The samples of a WAV file.

    `code` is the WAVE format tag with `WAVE_FORMAT_EXTENSIBLE` resolved. `frame_bytes` holds one
    sample of every channel. `size_bytes` is what the header claims; `None` = to the end.
    """

    code: int
    channels: int
    sample_rate: int
    frame_bytes: int
    offset_bytes: int
    size_bytes: int | None

    @property
    def bit_depth(self) -> int:
        """Bits a sample takes in the file; a 20-bit sample takes 24."""
        return self.frame_bytes * 8 // self.channels

    @property
    def encoding(self) -> Literal["pcm", "float", "mulaw", "alaw"] | None:
        """`pcm`, `float`, `mulaw` or `alaw`; `None` for anything else, such as ADPCM."""
        names: dict[tuple[int, int], Literal["pcm", "float", "mulaw", "alaw"]] = {
            (_PCM, 8): "pcm",
            (_PCM, 16): "pcm",
            (_PCM, 24): "pcm",
            (_PCM, 32): "pcm",
            (_FLOAT, 32): "float",
            (_FLOAT, 64): "float",
            (_MULAW, 8): "mulaw",
            (_ALAW, 8): "alaw",
        }
        return names.get((self.code, self.bit_depth))

    @property
    def format(self) -> AudioFormat:
        """What the bytes are, if `encoding` is not `None`."""
        return AudioFormat(
            self.sample_rate,
            self.channels,
            self.bit_depth,
            is_float=self.encoding == "float",
            encoding=self.encoding if self.encoding in ("mulaw", "alaw") else None,
        )


class _Arriving(BytesIO):
    """The beginning of a file."""

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if size is not None and len(data) < size:
            raise WavIncomplete
        return data


def parse_wav(head: bytes, *, ended: bool) -> WavData | None:
    """Do the same as `find_wav_data` with the first bytes of a file.

    Args:
        head: They.
        ended: There are no others.

    Raises:
        WavIncomplete: The samples begin later.
        ValueError: As there.
    """
    return find_wav_data(BytesIO(head) if ended else _Arriving(head))


def find_wav_data(file: BinaryIO) -> WavData | None:
    """Walk the chunks of `file` from its beginning.

    Returns:
        What it holds, or `None` when it is no little-endian WAV file.

    Raises:
        ValueError: it is one, and broken; the message is the reason.
    """
    header = file.read(12)
    if len(header) < 12 or header[:4] not in (b"RIFF", b"RF64") or header[8:] != b"WAVE":
        return None
    form: tuple[int, int, int, int] | None = None
    long_size: int | None = None
    while len(chunk := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", chunk)
        if name == b"data":
            if form is None:
                raise ValueError("its data comes before its format")
            if size == _UNKNOWN_SIZE and long_size:
                known = long_size < UNKNOWN_LONG_BYTES
                return WavData(*form, file.tell(), long_size if known else None)
            unknown = not 0 < size < UNKNOWN_BYTES
            return WavData(*form, file.tell(), None if unknown else size)
        body_end = file.tell() + size + size % 2  # chunks are padded to an even length
        if name == b"fmt ":
            form = _parse_format(file.read(min(size, 40)))
        elif name == b"ds64" and size >= 16:
            long_size = struct.unpack("<8xQ", file.read(16))[0]
        file.seek(body_end)
    raise ValueError("it ends before its audio data")


def _parse_format(body: bytes) -> tuple[int, int, int, int]:
    """Return the format tag, channels, sample rate and bytes a frame of a `fmt ` chunk."""
    if len(body) < 16:
        raise ValueError("its format chunk is cut short")
    code, channels, sample_rate, _, frame_bytes = struct.unpack("<HHIIH", body[:14])
    if code == _EXTENSIBLE and len(body) >= 26:
        code = struct.unpack("<H", body[24:26])[0]
    if not channels or not sample_rate or not frame_bytes:
        raise ValueError("its format chunk has a zero where none can be")
    return code, channels, sample_rate, frame_bytes
