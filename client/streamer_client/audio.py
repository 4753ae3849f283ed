"""Audio files as a stream of bytes in their own format: nothing is resampled or mixed.

The bytes of an ordinary WAV are sent as they are. Whatever else libsndfile reads is decoded to the
PCM nearest to it. Either way only one block is in memory.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from streamer_client.errors import AudioFileError
from streamer_client.formats import AudioFormat
from streamer_client.wav import WavData, find_wav_data

_COMPANDED: Mapping[str, Literal["mulaw", "alaw"]] = {"mulaw": "mulaw", "alaw": "alaw"}


class AudioFile(Protocol):
    """An open audio file. `duration_s` is in seconds."""

    @property
    def format(self) -> AudioFormat:
        """What `blocks` yields."""

    @property
    def duration_s(self) -> float:
        """Length in seconds."""

    @property
    def warning(self) -> str | None:
        """What is wrong with the file, though it can be sent."""

    def blocks(self, size_bytes: int) -> Iterator[bytes]:
        """Yield the rest of the audio, `size_bytes` at a time and less at the end.

        Raises:
            AudioFileError: the file turns out to be damaged.
        """


@contextmanager
def open_audio(path: str | PathLike[str]) -> Iterator[AudioFile]:
    """Open the audio file at `path`.

    Raises:
        AudioFileError: it cannot be opened, is no audio, or holds none.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        kind = "a directory" if path.is_dir() else "not a regular file"
        raise AudioFileError(f"{path} is {kind}; give an audio file")
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise AudioFileError(f"{path} does not exist") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise AudioFileError(f"cannot open {path}: {reason}") from error
    with file:
        if path.stat().st_size == 0:
            raise AudioFileError(f"{path} is empty")
        try:
            wav = find_wav_data(file)
        except ValueError as error:
            raise AudioFileError(f"{path} is a broken WAV file: {error}") from error
        if wav is not None and wav.encoding is not None:
            yield _checked(_WavFile(path, file, wav), path)
            return
        file.seek(0)
        # This imports numpy, which a WAV file does not need.
        from streamer_client.decode import open_decoded

        with open_decoded(path, file) as decoded:
            yield _checked(decoded, path)


class _WavFile:
    """A WAV file whose bytes are sent as they are."""

    def __init__(self, path: Path, file: BinaryIO, wav: WavData) -> None:
        self._path = path
        self._file = file
        self._offset_bytes = wav.offset_bytes
        present_bytes = path.stat().st_size - wav.offset_bytes
        size_bytes = present_bytes if wav.size_bytes is None else min(wav.size_bytes, present_bytes)
        self._size_bytes = size_bytes - size_bytes % wav.frame_bytes
        self.format = AudioFormat(
            wav.sample_rate,
            wav.channels,
            wav.bit_depth,
            is_float=wav.encoding == "float",
            encoding=_COMPANDED.get(wav.encoding or ""),
        )
        self.duration_s = self._size_bytes / self.format.bytes_per_second
        self.warning = None
        if wav.size_bytes is not None and wav.size_bytes > present_bytes:
            announced_s = wav.size_bytes / self.format.bytes_per_second
            self.warning = (
                f"{path} is cut short: {self.duration_s:.1f} s of {announced_s:.1f} s are there"
            )

    def blocks(self, size_bytes: int) -> Iterator[bytes]:
        self._file.seek(self._offset_bytes)
        left_bytes = self._size_bytes
        try:
            while left_bytes and (block := self._file.read(min(size_bytes, left_bytes))):
                left_bytes -= len(block)
                yield block
        except OSError as error:
            raise AudioFileError(f"cannot read {self._path}: {error.strerror}") from error


def _checked(audio: AudioFile, path: Path) -> AudioFile:
    if not audio.duration_s:
        raise AudioFileError(f"{path} contains no audio")
    return audio
