"""Where the audio to send comes from: a file, or raw PCM on standard input."""

import asyncio
import os
import stat
from collections.abc import AsyncGenerator
from typing import BinaryIO, Protocol

from streamer_client.audio import open_audio
from streamer_client.errors import AudioFileError
from streamer_client.formats import AudioFormat


class Source(Protocol):
    """Audio to send. `duration_s` is `None` while it is unknown."""

    @property
    def format(self) -> AudioFormat:
        """What `chunks` yields."""

    @property
    def duration_s(self) -> float | None:
        """Length in seconds."""

    @property
    def live(self) -> bool:
        """Whether it records until Ctrl-C, and cannot wait."""

    @property
    def warning(self) -> str | None:
        """What is wrong with it, though it can be sent."""

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

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> "FileSource":
        with open_audio(self._path) as file:
            self.format = file.format
            self.duration_s = file.duration_s
            self.warning = file.warning
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    async def chunks(self, size_bytes: int) -> AsyncGenerator[bytes, None]:
        """Yield the file's audio, each time from its beginning."""
        with open_audio(self._path) as file:
            for block in file.blocks(size_bytes):
                yield block


class StandardInput:
    """Raw samples in `audio_format` on `file`, which is standard input.

    Raises:
        AudioFileError: it is a terminal.
    """

    live = False
    duration_s = None
    warning = None

    def __init__(self, file: BinaryIO, audio_format: AudioFormat) -> None:
        if file.isatty():
            raise AudioFileError(
                "standard input is a terminal; pipe raw PCM to '-i -' or use --mic"
            )
        self._file = file
        self.format = audio_format

    def __enter__(self) -> "StandardInput":
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    async def chunks(self, size_bytes: int) -> AsyncGenerator[bytes, None]:
        """Yield what comes until the end of input.

        Raises:
            AudioFileError: nothing came at all.
        """
        mode = os.fstat(self._file.fileno()).st_mode
        waits = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
        received = self._from_pipe(size_bytes) if waits else self._from_file(size_bytes)
        empty = True
        async for chunk in received:
            empty = False
            yield chunk
        if empty:
            raise AudioFileError("there is no audio on standard input")

    async def _from_pipe(self, size_bytes: int) -> AsyncGenerator[bytes, None]:
        # What has arrived is passed on at once, also in smaller pieces: it may be live.
        reader = asyncio.StreamReader(limit=size_bytes)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), self._file
        )
        try:
            while chunk := await reader.read(size_bytes):
                yield chunk
        finally:
            transport.close()

    async def _from_file(self, size_bytes: int) -> AsyncGenerator[bytes, None]:
        while chunk := self._file.read(size_bytes):
            yield chunk
