"""Compressed and other recordings as PCM: what the server would make of them."""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from streamer.recordings.decoding import Decoding
from streamer.recordings.errors import AudioFileError as RecordingError
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
        samples: npt.NDArray[np.float32 | np.int16] = rows.T.astype("<f4")
        if not self._is_float:
            integers = np.clip(np.rint(rows.T * np.float32(32_768.0)), -32_768, 32_767)
            samples = integers.astype("<i2")
        return samples.tobytes()


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
