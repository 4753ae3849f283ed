"""Recordings that are sent as they are, in their containers: the server decodes them."""

from collections.abc import AsyncGenerator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from streamer.config.file_problems import file_problem
from streamer.recordings.foreign import describe
from streamer.recordings.recognition import INSIDE_BYTES, recognise, recognise_inside
from streamer_client.audio import open_audio
from streamer_client.errors import AudioFileError
from streamer_client.formats import ContainerFormat
from streamer_client.pipe import Pipe
from streamer_client.undecoded import decoder_is_installed, needs_decoder
from streamer_client.wav_input import NAME

DECODE_INSTEAD = "without --as-is, the client decodes it"


class AsIsFile:
    """The bytes of a recording; use as a context manager.

    The file is opened as for decoding, for its channels and its length.

    Raises:
        AudioFileError: on entering, when the file cannot be used.
    """

    live = False
    replayable = True

    def __init__(self, path: str, *, real_time: bool) -> None:
        self._path = Path(path)
        self._real_time = real_time
        self.warnings: list[str] = []

    def __enter__(self) -> "AsIsFile":
        with open_audio(self._path) as file:
            self.duration_s = file.duration_s
            channels = file.format.channels
        if self._real_time and not decoder_is_installed():
            raise needs_decoder(str(self._path), "--real-time")
        if self._real_time and not self.duration_s:
            raise AudioFileError(
                f"{self._path} does not say how long it is, so its bytes cannot be sent in real "
                f"time; {DECODE_INSTEAD}"
            )
        size_bytes = self._path.stat().st_size
        self.format = ContainerFormat(channels, self.duration_s and size_bytes / self.duration_s)
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    async def chunks(self, size_bytes: int) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of the file, each time from its beginning."""
        try:
            with self._path.open("rb") as file:
                while chunk := file.read(size_bytes):
                    yield chunk
        except OSError as error:
            raise AudioFileError(file_problem(self._path, error)) from error


class AsIsInput:
    """The bytes on standard input, as they come; an asynchronous context manager.

    Args:
        file: Open for reading.
        channels: Of the container; 1 = a mix of those that it has.

    Raises:
        AudioFileError: on entering, if it is in no container that is known.
    """

    live = False
    replayable = False
    duration_s = None

    def __init__(self, file: BinaryIO, channels: int) -> None:
        if file.isatty():
            raise AudioFileError("standard input is a terminal; pipe a recording to '-'")
        self._file = file
        self.format = ContainerFormat(channels)
        self.warnings: list[str] = []
        self._resources = ExitStack()

    async def __aenter__(self) -> "AsIsInput":
        self._pipe = pipe = await Pipe.open(self._file)
        self._resources.callback(pipe.close)
        try:
            while (found := recognise(pipe.head, ended=pipe.ended)) is None:
                await pipe.look()
            if found.kind is None and describe(pipe.head) is None:
                await pipe.look_at(INSIDE_BYTES)  # a stream of frames may begin within one
                found = recognise_inside(pipe.head)
            if found.kind is None:
                raise AudioFileError(
                    f"{NAME} is in no container that is known, and --as-is needs one; "
                    "leave it out for raw samples"
                )
        except BaseException:
            self._resources.close()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._resources.close()

    async def chunks(self, size_bytes: int) -> AsyncGenerator[bytes, None]:
        """Yield what comes until the end of input."""
        while chunk := await self._pipe.read(size_bytes):
            yield chunk
