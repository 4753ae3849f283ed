"""A recording on standard input, decoded by a thread while it arrives."""

import asyncio
from collections.abc import AsyncGenerator, Callable

import numpy as np
import numpy.typing as npt

from streamer.recordings.arriving import ArrivingRecording, FollowingRecordings
from streamer.recordings.decoding import Header
from streamer.recordings.errors import AudioFileError as RecordingError
from streamer_client.decode import Pcm, pcm_bytes
from streamer_client.errors import AudioFileError
from streamer_client.formats import AudioFormat
from streamer_client.pipe import Pipe

_WAITING_CHUNKS = 4
"""Decoded chunks that may wait to be sent; the thread waits when there are as many."""


class ArrivingInput:
    """Samples as they are decoded: everything so far is passed on before more is waited for.

    `open` or `follow` comes first.
    """

    format: AudioFormat

    live = False
    replayable = False
    duration_s = None

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(_WAITING_CHUNKS)
        self._decoded = bytearray()
        self._abandoned = False
        self.warnings: list[str] = []

    def open(self, kind: str, head: bytes) -> None:
        """Decode the first samples; runs in a thread."""
        self._recording: ArrivingRecording = ArrivingRecording(self, kind, head)
        pcm = Pcm(self._recording)
        self._encode: Callable[[npt.NDArray[np.float32]], bytes] = pcm.encode
        self.format = pcm.format

    def follow(self, kind: str, audio_format: AudioFormat, sent_bytes: int) -> None:
        """Go on behind a WAV file whose samples were sent as they are, in its format.

        Args:
            kind: Of the container that begins.
            audio_format: Of the WAV file.
            sent_bytes: Of its samples.
        """
        before_s = sent_bytes / audio_format.bytes_per_second
        header = Header(
            "WAV", "pcm", audio_format.sample_rate, audio_format.channels, duration_s=None
        )
        self._recording = FollowingRecordings(self, kind, header, before_s)
        self._encode = lambda rows: pcm_bytes(rows, audio_format)
        self.format = audio_format

    def read(self, count: int) -> bytes:
        """Wait for bytes of the recording; the decoder calls it."""
        self._pass_on()
        return self._pipe.read_from_thread(count)

    async def chunks(self, size_bytes: int) -> AsyncGenerator[bytes, None]:
        """Yield the samples until the end of input."""
        decoding = self._loop.run_in_executor(None, self._decode, size_bytes)
        try:
            while chunk := await self._queue.get():
                yield chunk
            await decoding
        finally:
            # Whatever the thread waits for, it goes on: for input, or for room in the queue.
            self._abandoned = True
            self._pipe.close()
            while not self._queue.empty():
                self._queue.get_nowait()
            await asyncio.gather(decoding, return_exceptions=True)

    def _decode(self, size_bytes: int) -> None:
        try:
            for rows in self._recording.pieces():
                self._decoded += self._encode(rows)
                while len(self._decoded) >= size_bytes:
                    self._pass_on(size_bytes)
            self._pass_on()
            self.warnings += self._recording.report().warnings
        finally:
            self._put(b"")

    def _pass_on(self, size_bytes: int | None = None) -> None:
        chunk = bytes(self._decoded[:size_bytes])
        del self._decoded[:size_bytes]
        if chunk:
            self._put(chunk)

    def _put(self, chunk: bytes) -> None:
        if not self._abandoned:
            asyncio.run_coroutine_threadsafe(self._queue.put(chunk), self._loop).result()


async def open_arriving(pipe: Pipe, kind: str, name: str) -> ArrivingInput:
    """Wait for the first samples of a recording.

    Args:
        pipe: At the container's first byte.
        kind: Of the container.
        name: What to call it in errors.

    Raises:
        AudioFileError: There are none.
    """
    opened = ArrivingInput(pipe)
    try:
        await asyncio.to_thread(opened.open, kind, pipe.head)
    except RecordingError as error:
        raise AudioFileError(f"{name}: {error}") from error
    return opened
