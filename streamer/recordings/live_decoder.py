"""The server's end of a decoder of a live stream: bytes in, samples out, in step.

`push` returns when the decoder needs more: all samples of the bytes so far have been taken. So
nothing is read ahead of what is processed, and a stream that becomes very long when it is decoded
waits like one that was sent.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable

import numpy as np
import numpy.typing as npt

from streamer.recordings import link
from streamer.recordings.answers import Answers, ReceivedHeader
from streamer.recordings.errors import AudioFileError

Rows = npt.NDArray[np.float32]
Take = Callable[[Rows], Awaitable[None]]

ANSWER_DEADLINE_S = 20.0
"""Seconds until a decoder has made a second of audio, or needs more bytes; 5 ms are usual, and a
first one waits for the launcher."""

SLICE_BYTES = 8_192
"""Bytes that the decoder gets at once: the socket always has room for so many, once all before
them are taken."""

MAX_HEAD_BYTES = 1 << 24
"""Bytes before the first audio: headers, and tags with a picture."""

MAX_BARREN_BYTES = 1 << 22
"""Bytes without audio later on: of another track, or of damage."""


class LiveDecoder:
    """A live stream that a process of its own decodes.

    Args:
        outgoing: The bytes go there.
        answers: Of the process.
        closed: Called once when this is closed.

    Attributes:
        header: What the stream is; None = it is not known yet.
        bad_samples: Zeroed so far, because they were not finite.
        is_damaged: Whether a part of the stream was found to be damaged.
        warnings: At the end: what is missing or was skipped, in sentences.
    """

    def __init__(
        self, outgoing: socket.socket, answers: Answers, closed: Callable[[], None]
    ) -> None:
        outgoing.setblocking(False)
        self._outgoing = outgoing
        self._answers = answers
        self._closed: Callable[[], None] | None = closed
        self._sent = 0
        self._barren_bytes = 0
        """Bytes since audio came last."""
        self.header: ReceivedHeader | None = None
        self.bad_samples = 0
        self.is_damaged = False
        self.warnings: tuple[str, ...] = ()

    async def push(self, data: bytes, take: Take) -> None:
        """Decode the next bytes, cut anywhere.

        Args:
            data: Of the container.
            take: Gets the samples, float32 [channels, n], a second or less; `header` is known then.

        Raises:
            AudioFileError: It cannot be decoded, or not any further.
            DecoderLost: The process could not be started, or has ended with all others.
        """
        for start in range(0, len(data), SLICE_BYTES):
            piece = data[start : start + SLICE_BYTES]
            # If it is gone, its answers say why.
            with contextlib.suppress(ConnectionError):
                await asyncio.get_running_loop().sock_sendall(self._outgoing, piece)
            self._sent += len(piece)
            self._barren_bytes += len(piece)
            if await self._take(take):
                kind = self.header.container if self.header else "container"
                raise AudioFileError(
                    f"the {kind} file has ended, and what follows it is in no container that is "
                    "known"
                )
            most = MAX_HEAD_BYTES if self.header is None else MAX_BARREN_BYTES
            if self._barren_bytes > most:
                raise AudioFileError(
                    f"no audio has come within {most} bytes; the stream holds something else, or "
                    "is damaged"
                )

    async def finish(self, take: Take) -> None:
        """There are no more bytes: decode what is left; arguments and errors as for `push`."""
        if not self._sent:
            return
        with contextlib.suppress(OSError):
            self._outgoing.shutdown(socket.SHUT_WR)
        while not await self._take(take):
            pass

    def close(self) -> None:
        """End the process, whatever it does; may be called again."""
        if self._closed is not None:
            self._outgoing.close()
            self._answers.close()
            self._closed()
            self._closed = None

    async def _take(self, take: Take) -> bool:
        """Take all that is decoded of what was sent; returns whether the end has come."""
        while True:
            limit = link.MAX_TEXT_BYTES
            if self.header is not None:
                frames = max(1, round(link.BLOCK_S * self.header.sample_rate))
                limit = max(limit, frames * self.header.channels * 4)
            kind, body = await self._answers.message(ANSWER_DEADLINE_S, limit)
            if kind == link.NEEDED:
                if len(body) != link.TAKEN.size:
                    raise self._answers.nonsense()
                if link.TAKEN.unpack(body)[0] == self._sent:
                    return False
            elif kind == link.DAMAGED:
                self.is_damaged = True
            elif self.header is None:
                self.header = self._answers.header(kind, body)
            elif kind == link.BLOCK:
                rows, bad = self._answers.rows(body, self.header.channels)
                self.bad_samples += bad
                self._barren_bytes = 0
                await take(rows)
            else:
                report = self._answers.report(kind, body)
                self.bad_samples += report.bad_samples
                self.warnings = report.warnings
                return True
