"""Audio files as a stream of bytes in their own format: nothing is resampled or mixed.

The bytes of an ordinary WAV are sent as they are. Everything else is decoded by the code that the
server decodes recordings with, or, where no decoder is installed, left to the server. Either way
only one block is in memory.
"""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from streamer.config.file_problems import file_problem
from streamer.config.paths import exists, is_dir, is_file
from streamer.recordings.containers import find_container
from streamer.recordings.errors import AudioFileError as RecordingError
from streamer.recordings.riff import Wave, open_wave, shortfall
from streamer_client.errors import AudioFileError
from streamer_client.formats import AudioFormat, ContainerFormat
from streamer_client.undecoded import UndecodedFile, decoder_is_installed
from streamer_client.wav import WavData, find_wav_data


class AudioFile(Protocol):
    """An open audio file."""

    @property
    def format(self) -> AudioFormat | ContainerFormat:
        """What `blocks` yields."""

    @property
    def duration_s(self) -> float | None:
        """Length in seconds as far as the file says; `None` = unknown."""

    @property
    def warnings(self) -> list[str]:
        """What is missing or was skipped, so far as it has been read: sentences."""

    def blocks(self, size_bytes: int) -> Iterator[bytes]:
        """Yield the audio once, `size_bytes` at a time and less at the end.

        Raises:
            AudioFileError: the file cannot be read.
        """


_RAW_SUFFIXES = frozenset({".pcm", ".raw", ".s16", ".s16le", ".l16", ".sw", ".f32", ".f32le"})
"""Of files that hold samples without a header, as FFmpeg and SoX name them."""


@contextmanager
def open_audio(path: str | PathLike[str]) -> Iterator[AudioFile]:
    """Open the audio file at `path`.

    Raises:
        AudioFileError: it cannot be opened, is no audio, or holds none.
    """
    path = Path(path)
    if exists(path) and not is_file(path):
        kind = "a directory" if is_dir(path) else "not a regular file"
        raise AudioFileError(f"{path} is {kind}; give an audio file")
    try:
        file = path.open("rb")
    except (OSError, ValueError) as error:
        raise AudioFileError(file_problem(path, error)) from error
    with file:
        yield audio_in(file, str(path))


def audio_in(file: BinaryIO, name: str) -> AudioFile:
    """Find the audio in a file.

    Args:
        file: Open for reading and seeking; it stays open.
        name: What to call it in errors.

    Raises:
        AudioFileError: it is no audio, or holds none.
    """
    try:
        found = find_container(file, name)
        if found.kind == "WAV" and (wav := _plain_wav(file, found.start, name)) is not None:
            return wav
    except RecordingError as error:
        raise AudioFileError(explain(error, name)) from error
    if not decoder_is_installed():
        return UndecodedFile(file, found.kind, found.start, name)
    # This imports PyAV and numpy, which an ordinary WAV file does not need.
    from streamer_client.decode import DecodedFile

    return DecodedFile(file, name)


def explain(error: RecordingError, name: str) -> str:
    """Return what is wrong with a recording, with its name."""
    problem = str(error)
    problem = problem if problem.startswith(name) else f"{name}: {problem}"
    if not error.unknown or not is_file(name):  # standard input is raw without a header
        return problem
    as_raw = f"streamer-client - --rate HZ < {shlex.quote(name)}"
    if Path(name).suffix.lower() in _RAW_SUFFIXES:
        return f"{name} is not an audio file with a header; raw PCM: {as_raw}"
    return f"{problem}; if it is raw PCM: {as_raw}"


class _WavFile:
    """A WAV file whose bytes are sent as they are."""

    def __init__(self, name: str, wave: Wave, data: WavData) -> None:
        self._name = name
        self._file = wave.view
        self._offset_bytes = data.offset_bytes
        self._size_bytes = wave.found_bytes - wave.found_bytes % data.frame_bytes
        self.format = data.format
        self.duration_s = self._size_bytes / self.format.bytes_per_second
        note = shortfall(wave.declared_bytes, wave.found_bytes, wave.bytes_per_second)
        self.warnings = [note] if note else []

    def blocks(self, size_bytes: int) -> Iterator[bytes]:
        self._file.seek(self._offset_bytes)
        left_bytes = self._size_bytes
        try:
            while left_bytes and (block := self._file.read(min(size_bytes, left_bytes))):
                left_bytes -= len(block)
                yield block
        except OSError as error:
            raise AudioFileError(file_problem(self._name, error)) from error


def _plain_wav(file: BinaryIO, start: int, name: str) -> _WavFile | None:
    """A WAV file whose samples are sent as they are. None = they have to be decoded."""
    wave = open_wave(file, start)
    try:
        data = find_wav_data(cast("BinaryIO", wave.view))
    except ValueError as error:
        raise AudioFileError(f"{name}: the WAV file is damaged: {error}") from error
    if data is None or data.encoding is None:
        return None
    if wave.behind is not None:
        return None  # another recording is joined to it
    wav = _WavFile(name, wave, data)
    if not wav.duration_s:
        raise AudioFileError(f"{name}: the WAV file holds no audio")
    return wav
