"""Compressed and other recordings as PCM: what the server would make of them."""

from collections.abc import Iterator
from typing import BinaryIO, Literal

import numpy as np
import numpy.typing as npt

from streamer.recordings.decoding import Decoding
from streamer.recordings.errors import AudioFileError as RecordingError
from streamer.recordings.samples import G711_VALUES
from streamer_client.errors import AudioFileError
from streamer_client.formats import AudioFormat

_LOSSLESS = ("pcm_", "flac", "alac", "wmalossless")
"""How FFmpeg's names of codecs begin that may keep more than 16 bits of a sample."""


class Pcm:
    """The samples of a recording as bytes.

    As 16-bit integers, half of what floats take on the way to the server; as floats if the file
    holds more than that.

    Args:
        recording: Opened.
    """

    def __init__(self, recording: Decoding) -> None:
        header = recording.header
        small = recording.sample_format.removesuffix("p") in ("u8", "s16")
        self._is_float = header.codec.startswith(_LOSSLESS) and not small
        bit_depth = 32 if self._is_float else 16
        self.format = AudioFormat(
            header.sample_rate, header.channels, bit_depth, is_float=self._is_float
        )

    def encode(self, rows: npt.NDArray[np.float32]) -> bytes:
        """Return float32 [channels, n] as interleaved little-endian bytes."""
        return pcm_bytes(rows, self.format)


def pcm_bytes(rows: npt.NDArray[np.float32], audio_format: AudioFormat) -> bytes:
    """Samples, float32 [channels, n], as interleaved bytes of a format."""
    bits = audio_format.bit_depth
    if audio_format.encoding is not None:
        return g711_bytes(rows.T, audio_format.encoding)
    if audio_format.is_float:
        return rows.T.astype(f"<f{bits // 8}").tobytes()
    top = 1 << (bits - 1)
    # Floats of 32 bits have no 2**31 - 1, to which integers of 32 bits are limited.
    wide = rows.T if bits <= 16 else rows.T.astype(np.float64)
    integers = np.clip(np.rint(wide * wide.dtype.type(top)), -top, top - 1)
    match bits:
        case 8:
            return (integers + 128).astype(np.uint8).tobytes()
        case 24:
            four_bytes = np.ascontiguousarray(integers.astype("<i4")).view(np.uint8)
            return four_bytes.reshape(-1, 4)[:, :3].tobytes()
    return integers.astype(f"<i{bits // 8}").tobytes()


def g711_bytes(samples: npt.NDArray[np.float32], encoding: Literal["mulaw", "alaw"]) -> bytes:
    """The code of ITU-T G.711 whose value is nearest, of each sample, full scale 1.0."""
    values = G711_VALUES[encoding]
    codes = np.argsort(values, kind="stable").astype(np.uint8)
    ordered = values[codes]
    borders = (ordered[1:] + ordered[:-1]) / 2
    return codes[np.searchsorted(borders, samples)].tobytes()


class DecodedFile:
    """A recording in a file that is not sent as it is.

    Args:
        file: Open for reading and seeking.
        name: What to call it in errors.

    Raises:
        AudioFileError: nothing in it can be decoded.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        try:
            self._recording = Decoding(file, name)
        except RecordingError as error:
            raise AudioFileError(f"{name}: {error}") from error
        self._pcm = Pcm(self._recording)
        self.format = self._pcm.format
        self.duration_s = self._recording.header.duration_s
        self.warnings: list[str] = []

    def blocks(self, size_bytes: int) -> Iterator[bytes]:
        """Yield the samples once, `size_bytes` at a time and less at the end."""
        frame_bytes = self.format.frame_bytes
        rest = b""
        # Whole frames are decoded, then cut to the requested size.
        for rows in self._recording.blocks(-(-size_bytes // frame_bytes)):
            rest += self._pcm.encode(rows)
            while len(rest) >= size_bytes:
                yield rest[:size_bytes]
                rest = rest[size_bytes:]
        if rest:
            yield rest
        self.warnings += self._recording.report().warnings
