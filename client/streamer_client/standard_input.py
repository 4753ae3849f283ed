"""Standard input: a recording in a container, decoded while it arrives, or raw PCM."""

from collections.abc import AsyncGenerator
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from streamer.recordings.errors import AudioFileError as RecordingError
from streamer.recordings.foreign import describe
from streamer.recordings.lengths import index_is_first
from streamer.recordings.recognition import STREAMED, recognise, recognise_inside
from streamer.recordings.view import View
from streamer_client.audio_sources import OpenedFile, Source
from streamer_client.errors import AudioFileError
from streamer_client.formats import AudioFormat
from streamer_client.pipe import READ_BYTES, Pipe
from streamer_client.undecoded import UndecodedInput, check_sendable, decoder_is_installed
from streamer_client.wav_input import NAME, WavInput, plain_wav

_FOREIGN_BYTES = 16
"""Bytes from which on what arrives may be known as no audio. Fewer look like text by chance."""


class StandardInput:
    """What comes on `file`, which is standard input; an asynchronous context manager.

    Args:
        file: Open for reading.
        raw: The format of the samples, if there is no header.
        raw_given: It was asked for, so what may be either is raw.

    Raises:
        AudioFileError: It is a terminal; or on entering, it is a recording that cannot be used.
    """

    def __init__(self, file: BinaryIO, raw: AudioFormat, *, raw_given: bool) -> None:
        if file.isatty():
            raise AudioFileError(
                "standard input is a terminal; pipe a recording or raw PCM to '-i -', or use --mic"
            )
        self._file = file
        self._raw = raw
        self._raw_given = raw_given
        self._seekable = file.seekable()
        self._resources = ExitStack()

    async def __aenter__(self) -> Source:
        try:
            pipe = await Pipe.open(self._file)
            self._resources.callback(pipe.close)
            return await self._open(pipe)
        except BaseException:
            self._resources.close()
            raise

    async def __aexit__(self, *exc_info: object) -> None:
        self._resources.close()

    async def _open(self, pipe: Pipe) -> Source:
        while (found := recognise(pipe.head, ended=pipe.ended)) is None:
            await pipe.look()
        if found.kind is None and found.start == 0 and not self._raw_given:
            found = recognise_inside(pipe.head)
        if found.kind is None and found.start == 0:
            if not self._raw_given:
                _refuse_foreign(pipe.head)
            return RawInput(pipe, self._raw)
        if self._seekable:
            return OpenedFile(_rewound(self._file, len(pipe.head)), NAME)
        if found.kind == "WAV" and (wav := await plain_wav(pipe, found.start)) is not None:
            return WavInput(pipe, wav)
        if not decoder_is_installed():
            is_first = found.kind != "MP4" or await _index_comes_first(pipe)
            check_sendable(NAME, found.kind, index_first=is_first)
            await pipe.skip(found.start)
            return UndecodedInput(pipe)
        if found.kind in STREAMED and (found.kind != "MP4" or await _index_comes_first(pipe)):
            from streamer_client.arriving_input import open_arriving

            await pipe.skip(found.start)
            return await open_arriving(pipe, found.kind, NAME)
        # The rest is rare, or needs to be read back and forth.
        spooled = self._resources.enter_context(TemporaryFile())  # noqa: SIM115
        from streamer.recordings.arriving import Kept

        kept = Kept(cast("BinaryIO", spooled), found.kind or "recording")
        try:
            while data := await pipe.read(READ_BYTES):
                kept.add(data)
        except RecordingError as error:
            raise AudioFileError(f"{NAME}: {error}") from error
        return OpenedFile(kept.file, NAME)


class RawInput:
    """Samples without a header, as they come."""

    live = False
    replayable = False
    duration_s = None

    def __init__(self, pipe: Pipe, audio_format: AudioFormat) -> None:
        self._pipe = pipe
        self.format = audio_format
        self.warnings: list[str] = []

    async def chunks(self, size_bytes: int) -> AsyncGenerator[bytes, None]:
        """Yield what comes until the end of input.

        Raises:
            AudioFileError: nothing came at all.
        """
        empty = True
        while chunk := await self._pipe.read(size_bytes):
            empty = False
            yield chunk
        if empty:
            raise AudioFileError("there is no audio on standard input")


def _refuse_foreign(head: bytes) -> None:
    """Refuse what is known and is no audio; bytes that are unknown are samples.

    Raises:
        AudioFileError: It is a web page, an archive, text and so on.
    """
    if len(head) >= _FOREIGN_BYTES and (what := describe(head)) is not None:
        raise AudioFileError(
            f"{NAME} is not an audio file but {what}; if it is raw PCM all the same, state its "
            "format, as in '--rate 16000'"
        )


def _rewound(file: BinaryIO, read_bytes: int) -> BinaryIO:
    """The file from where it was before `read_bytes` of it were read."""
    return cast("BinaryIO", View(file, file.tell() - read_bytes))


async def _index_comes_first(pipe: Pipe) -> bool:
    while (is_first := index_is_first(pipe.head, ended=pipe.ended)) is None:
        await pipe.look()
    return is_first
