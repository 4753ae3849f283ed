"""The server's end of decoder processes: start one for each recording, and believe nothing of it.

The server itself never loads FFmpeg. Whatever a decoder does (crash, hang, grow, write nonsense)
becomes an `AudioFileError` for its request, and no other request notices.
"""

import contextlib
import os
import socket
import subprocess
import sys

import numpy as np
import numpy.typing as npt

from streamer.observe.monitor import Decoded, Monitor
from streamer.recordings import link
from streamer.recordings.answers import Answers
from streamer.recordings.errors import DecoderLost
from streamer.recordings.launcher import DECODER
from streamer.recordings.live_decoder import LiveDecoder
from streamer.recordings.sandbox import signals_blocked

Rows = npt.NDArray[np.float32]

OPEN_DEADLINE_S = 30.0
"""Seconds until a decoder has found out what a recording is; a first one waits for the launcher."""

BLOCK_DEADLINE_S = 20.0
"""Seconds until a decoder has made the next second of audio; 5 ms are usual."""

INHERITED = ("PATH", "HOME", "LANG", "LC_", "TZ", "TMPDIR", "PYTHON", "LD_LIBRARY_PATH", "DYLD_")
"""How the names of the environment variables begin that Python may need to start. The others may
be the server's tokens, or keys of its telemetry."""

_START = (
    "import sys; sys.path[:] = sys.argv[3:]; from streamer.recordings.launcher import main; main()"
)


class Decoders:
    """Starts decoder processes.

    Args:
        program: What each of them runs; tests have others.
        monitor: Counts them; None = they are not counted.

    Attributes:
        live: Decoders of live streams that run.
    """

    def __init__(self, program: str = DECODER, monitor: Monitor | None = None) -> None:
        self._program = program
        self._monitor = monitor or Monitor()
        self._launcher: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self.live = 0

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
        decoder = Decoder(self._begin(body, "recording"))
        try:
            await decoder.begin()
        except BaseException:
            decoder.close()
            raise
        return decoder

    def open_live(self) -> LiveDecoder:
        """Start a decoder for a stream whose container is still to come; it is to be closed.

        Raises:
            DecoderLost: No process could be started for it.
        """
        try:
            ours, theirs = socket.socketpair()
        except OSError as error:
            raise self._cannot_start("stream", error) from error
        with theirs, contextlib.ExitStack() as unused:
            unused.enter_context(ours)
            answers = self._begin(theirs.fileno(), "stream")
            unused.pop_all()
        self.live += 1
        return LiveDecoder(ours, answers, self._live_closed)

    def _live_closed(self) -> None:
        self.live -= 1

    def _begin(self, body: int, decoded: Decoded) -> Answers:
        with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
            ends = []
            try:
                for _ in range(2):
                    our_end, their_end = socket.socketpair()
                    ends.append((ours.enter_context(our_end), theirs.enter_context(their_end)))
                (answers, their_answers), (lifeline, their_lifeline) = ends
                self._send((body, their_answers.fileno(), their_lifeline.fileno()))
            except OSError as error:  # too many descriptors or processes, or no memory
                raise self._cannot_start(decoded, error) from error
            except DecoderLost:
                self._monitor.decoder_failed(decoded, "lost")
                raise
            ours.pop_all()
            return Answers(answers, lifeline, decoded, self._monitor)

    def _cannot_start(self, decoded: Decoded, error: OSError) -> DecoderLost:
        self._monitor.decoder_failed(decoded, "lost")
        return DecoderLost(f"no decoder can be started: {error.strerror}")

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
    """

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
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
        kind, body = await self._answers.message(OPEN_DEADLINE_S, link.MAX_TEXT_BYTES)
        header = self._answers.header(kind, body)
        self.kind, self.codec = header.container, header.codec
        self.sample_rate, self.channels = header.sample_rate, header.channels
        self.declared_s = header.duration_s

    async def read(self) -> Rows:
        """See `Recording`."""
        if self._ended:
            return np.empty((self.channels, 0), np.float32)
        frames = max(1, round(link.BLOCK_S * self.sample_rate))
        limit = max(frames * self.channels * 4, link.MAX_TEXT_BYTES)
        kind, body = await self._answers.message(BLOCK_DEADLINE_S, limit)
        if kind != link.BLOCK:
            report = self._answers.report(kind, body)
            self._ended = True
            self.warnings = report.warnings
            self.bad_samples += report.bad_samples
            return np.empty((self.channels, 0), np.float32)
        rows, bad = self._answers.rows(body, self.channels)
        self.bad_samples += bad
        return rows

    def close(self) -> None:
        """End the process, whatever it does."""
        self._answers.close()
