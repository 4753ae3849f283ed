"""Recordings where no decoder is installed: their bytes go to the server, which decodes them.

The client's own distribution needs no decoder. What the server cannot decode while it arrives is
refused here, before a connection is opened.
"""

import sys
from collections.abc import AsyncGenerator, Iterator
from importlib.util import find_spec
from typing import BinaryIO

from streamer.config.file_problems import file_problem
from streamer.recordings.lengths import index_is_first
from streamer.recordings.recognition import STREAMED
from streamer_client.errors import AudioFileError
from streamer_client.formats import ContainerFormat
from streamer_client.pipe import Pipe

DECODERS = ("av", "numpy", "soxr")
"""The packages that decode."""

SENT_AS_IT_IS = "no decoder is installed here, so the server decodes it, and mixes its channels"

_SENDABLE = STREAMED | {"WAV"}
_HEAD_BYTES = 1 << 16
"""Bytes that are read at once to find the index of an MP4 file."""


def decoder_is_installed() -> bool:
    """Whether this Python can decode recordings."""
    return all(find_spec(package) is not None for package in DECODERS)


def needs_decoder(name: str, what: str) -> AudioFileError:
    """The error for what cannot be done without a decoder.

    Args:
        name: Of the recording.
        what: What cannot be done, in words that fit before "needs".
    """
    packages = " ".join(DECODERS)
    return AudioFileError(
        f"{name}: {what} needs a decoder here: {sys.executable} -m pip install {packages}"
    )


def check_sendable(name: str, kind: str | None, *, index_first: bool = True) -> None:
    """Check that the server can decode a container while it arrives.

    Args:
        name: Of the recording.
        kind: Of the container.
        index_first: Whether the index of an MP4 file is before its audio.

    Raises:
        AudioFileError: It cannot.
    """
    if kind not in _SENDABLE:
        raise needs_decoder(name, f"{kind or 'a recording of this kind'}")
    if kind == "MP4" and not index_first:
        raise needs_decoder(name, "an MP4 file with its index at the end")


class UndecodedFile:
    """The bytes of a recording, from the beginning of its container.

    Args:
        file: Open for reading and seeking.
        kind: Of the container.
        start: Its first byte.
        name: What to call it in errors.

    Raises:
        AudioFileError: The server cannot decode it while it arrives.
    """

    duration_s = None

    def __init__(self, file: BinaryIO, kind: str, start: int, name: str) -> None:
        self._file, self._start, self._name = file, start, name
        check_sendable(name, kind, index_first=kind != "MP4" or self._index_is_first())
        self.format = ContainerFormat(1)
        self.warnings = [SENT_AS_IT_IS]

    def blocks(self, size_bytes: int) -> Iterator[bytes]:
        """Yield the bytes once, `size_bytes` at a time and less at the end."""
        self._file.seek(self._start)
        try:
            while block := self._file.read(size_bytes):
                yield block
        except OSError as error:
            raise AudioFileError(file_problem(self._name, error)) from error

    def _index_is_first(self) -> bool:
        self._file.seek(self._start)
        head = b""
        while True:
            more = self._file.read(_HEAD_BYTES)
            head += more
            is_first = index_is_first(head, ended=not more)
            if is_first is not None:
                return is_first


class UndecodedInput:
    """The bytes of a recording on standard input, as they come.

    Args:
        pipe: At the container's first byte.
    """

    live = False
    replayable = False
    duration_s = None

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self.format = ContainerFormat(1)
        self.warnings = [SENT_AS_IT_IS]

    async def chunks(self, size_bytes: int) -> AsyncGenerator[bytes, None]:
        """Yield what comes until the end of input."""
        while chunk := await self._pipe.read(size_bytes):
            yield chunk
