"""The server's end of what a decoder process writes: messages of `link.py`, and none is believed.

Whatever a decoder does (crash, hang, grow, write nonsense) becomes an `AudioFileError` for the one
recording or stream that it decodes.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from streamer.audio.pcm import clean_floats
from streamer.observe.monitor import Decoded, DecoderFailure, Monitor
from streamer.recordings import link
from streamer.recordings.errors import AudioFileError, DecoderLost
from streamer.recordings.launcher import STATUS

Rows = npt.NDArray[np.float32]
T = TypeVar("T")

STATUS_DEADLINE_S = 20.0
"""Seconds until the exit status of a decoder has come that has ended."""

MAX_CHANNELS = 1_024
"""Channels, and below it the rate, that a header may claim; the limits for clients are smaller."""

MAX_RATE = 10_000_000
"""Hz."""

_log = logging.getLogger(__name__)


class ReceivedHeader(msgspec.Struct, frozen=True, array_like=True):
    """As `decoding.Header`."""

    container: str
    codec: str
    sample_rate: int
    channels: int
    duration_s: float | None


class ReceivedReport(msgspec.Struct, frozen=True, array_like=True):
    """As `decoding.Report`."""

    seconds: float
    missing_s: float | None
    skipped_packets: int
    bad_samples: int
    warnings: tuple[str, ...]


class Answers:
    """The messages of one decoder process.

    Args:
        answers: Where they come from.
        lifeline: Closing it ends the process; its exit status comes from it.
        decoded: What the process decodes.
        monitor: Is told of the process.
    """

    def __init__(
        self,
        answers: socket.socket,
        lifeline: socket.socket,
        decoded: Decoded,
        monitor: Monitor,
    ) -> None:
        for end in (answers, lifeline):
            end.setblocking(False)
        self._answers = answers
        self._lifeline = lifeline
        self._decoded: Decoded = decoded
        self._monitor = monitor
        self._closed = False
        monitor.decoder_started(decoded)

    async def message(self, deadline_s: float, limit: int) -> tuple[bytes, bytearray]:
        """The next message: its kind and its body.

        Args:
            deadline_s: Seconds until it has to be there.
            limit: Bytes of the body at most.

        Raises:
            AudioFileError: The process hangs, has crashed, or writes nonsense.
            DecoderLost: The launcher has ended.
        """
        try:
            async with asyncio.timeout(deadline_s):
                kind, length = link.PREFIX.unpack(await self._exactly(link.PREFIX.size))
                if length > limit:
                    raise self.nonsense()
                return kind, await self._exactly(length)
        except TimeoutError:
            self._failed("stalled")
            raise AudioFileError(
                f"decoding was stopped, because it made no progress for {deadline_s:g} s; the "
                "recording is damaged or malicious"
            ) from None
        except (EOFError, ConnectionError):
            raise await self._why_it_ended() from None

    def header(self, kind: bytes, body: bytearray) -> ReceivedHeader:
        """Read a message that has to be a header; raises AudioFileError if it is something else."""
        header = self._json(kind, link.HEADER, body, ReceivedHeader)
        if not (0 < header.channels <= MAX_CHANNELS and 0 < header.sample_rate <= MAX_RATE):
            raise self.nonsense()
        return header

    def report(self, kind: bytes, body: bytearray) -> ReceivedReport:
        """Read a message that has to be a report; raises AudioFileError if it is something else."""
        return self._json(kind, link.REPORT, body, ReceivedReport)

    def rows(self, body: bytearray, channels: int) -> tuple[Rows, int]:
        """Read a block, [channels, n]: finite samples, and how many were not finite.

        Raises:
            AudioFileError: It is none.
        """
        if not body or not channels or len(body) % (4 * channels):
            raise self.nonsense()
        return clean_floats(np.frombuffer(body, np.float32).reshape(channels, -1))

    def close(self) -> None:
        """End the process, whatever it does; may be called again."""
        if self._closed:
            return
        self._closed = True
        self._answers.close()
        self._lifeline.close()
        self._monitor.decoder_closed(self._decoded)

    def nonsense(self) -> AudioFileError:
        """The error for a message that no decoder writes."""
        _log.warning("a decoder process wrote nonsense")
        self._failed("nonsense")
        return AudioFileError("its decoder failed; the recording is damaged or malicious")

    async def _exactly(self, count: int) -> bytearray:
        loop = asyncio.get_running_loop()
        data = bytearray(count)
        view = memoryview(data)
        while view:
            received = await loop.sock_recv_into(self._answers, view)
            if not received:
                raise EOFError
            view = view[received:]
        return data

    async def _why_it_ended(self) -> Exception:
        status = b""
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(STATUS_DEADLINE_S):
                status = await asyncio.get_running_loop().sock_recv(self._lifeline, STATUS.size)
        if len(status) != STATUS.size:
            self._failed("lost")
            return DecoderLost("the launcher of decoders has ended")
        (code,) = STATUS.unpack(status)
        if os.WIFSIGNALED(code):
            number = os.WTERMSIG(code)
            if number in (signal.SIGXCPU, signal.SIGKILL):
                self._failed("stopped")
                why = "was stopped, because it took too much processor time or memory"
            else:
                self._failed("crashed")
                why = f"crashed (signal {number})"
        else:
            self._failed("failed")
            why = f"failed (exit code {os.waitstatus_to_exitcode(code)})"
        _log.warning("a decoder process %s", why)
        return AudioFileError(
            f"its decoder {why}; the recording is damaged or malicious: try to repair it with "
            "ffmpeg -i FILE recording.wav"
        )

    def _failed(self, failure: DecoderFailure) -> None:
        self._monitor.decoder_failed(self._decoded, failure)

    def _json(self, kind: bytes, wanted: bytes, body: bytearray, shape: type[T]) -> T:
        try:
            if kind == link.REFUSAL:
                refusal = msgspec.json.decode(body, type=link.Refusal)
                raise AudioFileError(refusal.message, refusal.code)
            if kind == wanted and len(body) <= link.MAX_TEXT_BYTES:
                return msgspec.json.decode(body, type=shape)
        except msgspec.MsgspecError:
            pass
        raise self.nonsense()
