"""The server's end of decoder processes: start one for each recording, and believe nothing of it.

The server itself never loads FFmpeg. Whatever a decoder does (crash, hang, grow, write nonsense)
becomes an `AudioFileError` for its request, and no other request notices.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from streamer.audio.pcm import clean_floats
from streamer.recordings import link
from streamer.recordings.errors import AudioFileError
from streamer.recordings.launcher import DECODER, STATUS
from streamer.recordings.sandbox import signals_blocked

Rows = npt.NDArray[np.float32]
T = TypeVar("T")

OPEN_DEADLINE_S = 30.0
"""Seconds until a decoder has found out what a recording is; a first one waits for the launcher."""

BLOCK_DEADLINE_S = 20.0
"""Seconds until a decoder has made the next second of audio; 5 ms are usual."""

MAX_CHANNELS = 1_024
"""Channels, and below it the rate, that a header may claim; the limits for clients are smaller."""

MAX_RATE = 10_000_000
"""Hz."""

INHERITED = ("PATH", "HOME", "LANG", "LC_", "TZ", "TMPDIR", "PYTHON", "LD_LIBRARY_PATH", "DYLD_")
"""How the names of the environment variables begin that Python may need to start. The others may
be the server's tokens, or keys of its telemetry."""

_START = (
    "import sys; sys.path[:] = sys.argv[3:]; from streamer.recordings.launcher import main; main()"
)

_log = logging.getLogger(__name__)


class DecoderLost(Exception):
    """No decoder could be started: a defect of the server or of its machine, not the recording."""


class _Header(msgspec.Struct, frozen=True, array_like=True):
    container: str
    codec: str
    sample_rate: int
    channels: int
    duration_s: float | None


class _Report(msgspec.Struct, frozen=True, array_like=True):
    seconds: float
    missing_s: float | None
    skipped_packets: int
    bad_samples: int
    warnings: tuple[str, ...]


class Decoders:
    """Starts decoder processes.

    Args:
        program: What each of them runs; tests have others.
    """

    def __init__(self, program: str = DECODER) -> None:
        self._program = program
        self._launcher: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start(self) -> None:
        """Start the launcher, so that the first recording need not wait for it."""
        # Nothing of the server's secrets is in reach of a decoder that was taken over.
        env = {name: text for name, text in os.environ.items() if name.startswith(INHERITED)}
        with contextlib.ExitStack() as unused, signals_blocked():
            ours, theirs = map(unused.enter_context, socket.socketpair())
            self._launcher = subprocess.Popen(  # noqa: S603 – our own program
                [sys.executable, "-c", _START, str(theirs.fileno()), self._program, *sys.path],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                # Threads would not survive a fork.
                env={**env, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )
            ours.setblocking(False)
            self._control = ours
            unused.pop_all()
            theirs.close()

    def close(self) -> None:
        """End the launcher, and with it all decoders."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._launcher is not None:
            self._launcher.wait()
            self._launcher = None

    async def open(self, body: int) -> "Decoder":
        """Begin to decode a recording.

        Args:
            body: A descriptor of it, at its beginning; the caller may close it afterwards.

        Raises:
            AudioFileError: It cannot be decoded.
            DecoderLost: No process could be started for it.
        """
        decoder = self._begin(body)
        try:
            await decoder.begin()
        except BaseException:
            decoder.close()
            raise
        return decoder

    def _begin(self, body: int) -> "Decoder":
        with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
            ends = []
            try:
                for _ in range(2):
                    our_end, their_end = socket.socketpair()
                    ends.append((ours.enter_context(our_end), theirs.enter_context(their_end)))
                (answers, their_answers), (lifeline, their_lifeline) = ends
                self._send((body, their_answers.fileno(), their_lifeline.fileno()))
            except OSError as error:  # too many descriptors or processes, or no memory
                raise DecoderLost(f"no decoder can be started: {error.strerror}") from error
            ours.pop_all()
            return Decoder(answers, lifeline)

    def _send(self, descriptors: tuple[int, ...]) -> None:
        for _ in range(2):
            if self._launcher is None or self._launcher.poll() is not None:
                self.close()
                self.start()
            assert self._control is not None
            try:
                socket.send_fds(self._control, [b"d"], descriptors)
            except ConnectionError:  # it has just ended
                assert self._launcher is not None
                self._launcher.kill()
                self._launcher.wait()
                continue
            except BlockingIOError:
                raise DecoderLost("the launcher of decoders does not answer") from None
            return
        raise DecoderLost("the launcher of decoders cannot be started")


class Decoder:
    """A recording that a process of its own decodes; see `recording.Recording`.

    Args:
        answers: Where its messages come from.
        lifeline: Closing it ends the process; its exit status comes from it.
    """

    def __init__(self, answers: socket.socket, lifeline: socket.socket) -> None:
        for end in (answers, lifeline):
            end.setblocking(False)
        self._answers = answers
        self._lifeline = lifeline
        self._ended = False
        self.kind = ""
        self.codec = ""
        self.sample_rate = 0
        self.channels = 0
        self.declared_s: float | None = None
        self.bad_samples = 0
        self.warnings: tuple[str, ...] = ()

    async def begin(self) -> None:
        """Wait until it has found out what the recording is.

        Raises:
            AudioFileError: It cannot be decoded.
            DecoderLost: No process could be started for it.
        """
        kind, body = await self._message(OPEN_DEADLINE_S, link.MAX_TEXT_BYTES)
        header = self._json(kind, link.HEADER, body, _Header)
        if not (0 < header.channels <= MAX_CHANNELS and 0 < header.sample_rate <= MAX_RATE):
            raise self._nonsense()
        self.kind, self.codec = header.container, header.codec
        self.sample_rate, self.channels = header.sample_rate, header.channels
        self.declared_s = header.duration_s

    async def read(self) -> Rows:
        """See `Recording`."""
        if self._ended:
            return np.empty((self.channels, 0), np.float32)
        frames = max(1, round(link.BLOCK_S * self.sample_rate))
        limit = max(frames * self.channels * 4, link.MAX_TEXT_BYTES)
        kind, body = await self._message(BLOCK_DEADLINE_S, limit)
        if kind != link.BLOCK:
            report = self._json(kind, link.REPORT, body, _Report)
            self._ended = True
            self.warnings = report.warnings
            self.bad_samples += report.bad_samples
            return np.empty((self.channels, 0), np.float32)
        if not body or len(body) % (4 * self.channels) or len(body) > limit:
            raise self._nonsense()
        rows, bad = clean_floats(np.frombuffer(body, np.float32).reshape(self.channels, -1))
        self.bad_samples += bad
        return rows

    def close(self) -> None:
        """End the process, whatever it does."""
        self._answers.close()
        self._lifeline.close()

    async def _message(self, deadline_s: float, limit: int) -> tuple[bytes, bytearray]:
        """The next message: its kind and its body of at most `limit` bytes."""
        try:
            async with asyncio.timeout(deadline_s):
                kind, length = link.PREFIX.unpack(await self._exactly(link.PREFIX.size))
                if length > limit:
                    raise self._nonsense()
                return kind, await self._exactly(length)
        except TimeoutError:
            raise AudioFileError(
                f"decoding was stopped, because it made no progress for {deadline_s:g} s; the "
                "recording is damaged or malicious"
            ) from None
        except (EOFError, ConnectionError):
            raise await self._why_it_ended() from None

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
            async with asyncio.timeout(BLOCK_DEADLINE_S):
                status = await asyncio.get_running_loop().sock_recv(self._lifeline, STATUS.size)
        if len(status) != STATUS.size:
            return DecoderLost("the launcher of decoders has ended")
        (code,) = STATUS.unpack(status)
        if os.WIFSIGNALED(code):
            number = os.WTERMSIG(code)
            if number in (signal.SIGXCPU, signal.SIGKILL):
                why = "was stopped, because it took too much processor time or memory"
            else:
                why = f"crashed (signal {number})"
        else:
            why = f"failed (exit code {os.waitstatus_to_exitcode(code)})"
        _log.warning("a decoder process %s", why)
        return AudioFileError(
            f"its decoder {why}; the recording is damaged or malicious: try to repair it with "
            "ffmpeg -i FILE recording.wav"
        )

    def _json(self, kind: bytes, wanted: bytes, body: bytearray, shape: type[T]) -> T:
        try:
            if kind == link.REFUSAL:
                refusal = msgspec.json.decode(body, type=link.Refusal)
                raise AudioFileError(refusal.message, refusal.code)
            if kind == wanted and len(body) <= link.MAX_TEXT_BYTES:
                return msgspec.json.decode(body, type=shape)
        except msgspec.MsgspecError:
            pass
        raise self._nonsense()

    def _nonsense(self) -> AudioFileError:
        _log.warning("a decoder process wrote nonsense")
        return AudioFileError("its decoder failed; the recording is damaged or malicious")
