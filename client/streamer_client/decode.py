"""Compressed and other audio files, decoded by libsndfile."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import soundfile

from streamer_client.errors import AudioFileError
from streamer_client.formats import AudioFormat

_FORMATS = {
    "int16": (16, False),
    "int32": (32, False),
    "float32": (32, True),
    "float64": (64, True),
}


class _Sequential(soundfile.SoundFile):  # type: ignore[misc] # it has no types
    """A sound file read from beginning to end.

    `soundfile` seeks after every read of a file that can seek. That is wasted here, and in an MP3
    every block then begins with a decoder without the state of the one before: wrong samples.
    """

    def seekable(self) -> bool:
        return False


class DecodedFile:
    """A file that libsndfile decodes, as the PCM nearest to it."""

    def __init__(self, path: Path, sound: _Sequential) -> None:
        self._path = path
        self._sound = sound
        self._sample_type = _sample_type(sound.subtype)
        bit_depth, is_float = _FORMATS[self._sample_type]
        self.format = AudioFormat(sound.samplerate, sound.channels, bit_depth, is_float=is_float)
        self.duration_s = sound.frames / sound.samplerate
        self.warning = None

    def blocks(self, size_bytes: int) -> Iterator[bytes]:
        """Yield the audio, `size_bytes` at a time and less at the end.

        Raises:
            AudioFileError: the file turns out to be damaged.
        """
        frame_bytes = self.format.frame_bytes
        # Whole frames are decoded, then cut to the requested size.
        buffer = bytearray(-(-size_bytes // frame_bytes) * frame_bytes)
        rest = b""
        try:
            while frames := self._sound.buffer_read_into(buffer, dtype=self._sample_type):
                rest += buffer[: frames * frame_bytes]
                while len(rest) >= size_bytes:
                    yield rest[:size_bytes]
                    rest = rest[size_bytes:]
        except soundfile.LibsndfileError as error:
            raise AudioFileError(f"{self._path} is damaged: {_reason(error)}") from error
        if rest:
            yield rest


@contextmanager
def open_decoded(path: Path, file: BinaryIO) -> Iterator[DecodedFile]:
    """Open `file`, the content of `path`.

    Raises:
        AudioFileError: libsndfile cannot make audio of it.
    """
    try:
        sound = _Sequential(file)
    except (soundfile.LibsndfileError, TypeError) as error:
        raise AudioFileError(
            f"{path} is not an audio file that can be read ({_reason(error)}); "
            "give WAV, FLAC, OGG or MP3, or pipe raw PCM to '-i -'"
        ) from error
    with sound:
        yield DecodedFile(path, sound)


def _sample_type(subtype: str) -> str:
    """Return the smallest PCM that holds what libsndfile calls `subtype`."""
    if subtype == "FLOAT":
        return "float32"
    if subtype == "DOUBLE":
        return "float64"
    return "int32" if subtype.endswith(("_20", "_24", "_32")) else "int16"


def _reason(error: Exception) -> str:
    return str(getattr(error, "error_string", error)).strip().rstrip(".").lower()
