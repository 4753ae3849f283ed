"""Where the audio to send comes from: files.

`standard_input.py`, `microphone.py` and `as_is.py` have others.
"""

from collections.abc import AsyncGenerator
from typing import BinaryIO, Protocol

from streamer_client.audio import AudioFile, audio_in, open_audio
from streamer_client.formats import AudioFormat, ContainerFormat


class Source(Protocol):
    """Audio to send. `duration_s` is `None` while it is unknown."""

    @property
    def format(self) -> AudioFormat | ContainerFormat:
        """What `chunks` yields."""

    @property
    def duration_s(self) -> float | None:
        """Length in seconds."""

    @property
    def live(self) -> bool:
        """Whether it records until Ctrl-C, and cannot wait."""

    @property
    def replayable(self) -> bool:
        """Whether it can be read again from its beginning."""

    @property
    def warnings(self) -> list[str]:
        """What is missing or was skipped, so far as it has been read: sentences."""

    def chunks(self, size_bytes: int) -> AsyncGenerator[bytes, None]:
        """Yield the audio in pieces of at most `size_bytes`.

        Raises:
            AudioFileError: it cannot be read, or there is none.
        """


class FileSource:
    """An audio file; use as a context manager.

    Raises:
        AudioFileError: on entering, when the file cannot be used.
    """

    live = False
    replayable = True

    def __init__(self, path: str) -> None:
        self._path = path
        self.warnings: list[str] = []

    def __enter__(self) -> "FileSource":
        with open_audio(self._path) as file:
            self.format = file.format
            self.duration_s = file.duration_s
            self.warnings = list(file.warnings)
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    async def chunks(self, size_bytes: int) -> AsyncGenerator[bytes, None]:
        """Yield the file's audio, each time from its beginning."""
        with open_audio(self._path) as file:
            for block in file.blocks(size_bytes):
                yield block
            self.warnings = list(file.warnings)


class OpenedFile:
    """A recording in a file that is open already, and can seek.

    Args:
        file: It.
        name: What to call it in errors.

    Raises:
        AudioFileError: the file cannot be used.
    """

    live = False
    replayable = True

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._audio: AudioFile = audio_in(file, name)
        self.format = self._audio.format
        self.duration_s = self._audio.duration_s

    @property
    def warnings(self) -> list[str]:
        """See `Source`."""
        return self._audio.warnings

    async def chunks(self, size_bytes: int) -> AsyncGenerator[bytes, None]:
        """Yield the file's audio, each time from its beginning."""
        self._audio = audio_in(self._file, self._name)
        for block in self._audio.blocks(size_bytes):
            yield block
