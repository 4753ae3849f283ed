"""One worker process as the server sees it: start it, give it a job, notice when it dies."""

import asyncio
import ctypes
import multiprocessing
import signal
import socket
from collections.abc import Sequence
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnProcess
from typing import TypeAlias

import numpy as np

from streamer.inference import ipc
from streamer.inference.job import Audio
from streamer.inference.worker import SERVER_SIGNALS, run
from streamer.models.registry import ModelSpec

SLOT_SAMPLES = 60 * 16_000
"""Samples in a worker's shared-memory slot: the longest segment allowed, at 16 kHz."""

Slot: TypeAlias = "ctypes.Array[ctypes.c_float]"

REAPING_S = 0.2
"""A process that has closed everything it held is gone in this time."""

EXIT_GRACE_S = 2.0
"""An idle worker ends by itself when its link closes; one that does not in this time is killed."""


class WorkerDied(Exception):
    """The process ended, or was ended, before it answered."""


class ModelCannotLoad(Exception):
    """The model raised, or killed its process, while it was loaded."""


def new_slot() -> Slot:
    """Shared memory for the samples of one worker's jobs; another one may have it afterwards."""
    return multiprocessing.get_context("spawn").RawArray(ctypes.c_float, SLOT_SAMPLES)


class _Link(asyncio.Protocol):
    """The server's end of the private socket pair."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = loop.create_future()
        self._reader = ipc.FrameReader()
        self._answer: asyncio.Future[ipc.Message] = loop.create_future()

    def data_received(self, data: bytes) -> None:
        for message in self._reader.feed(data):
            if not self._answer.done():
                self._answer.set_result(message)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)

    async def answer(self) -> ipc.Message:
        """The next message; one that came before it was asked for counts."""
        await asyncio.wait((self._answer, self.lost), return_when=asyncio.FIRST_COMPLETED)
        if not self._answer.done():
            raise WorkerDied
        message = self._answer.result()
        self._answer = asyncio.get_running_loop().create_future()
        return message


class WorkerProcess:
    """A spawned process with a link and a slot of its own; nothing is shared between workers.

    Never forked: a forked ONNX Runtime session can crash when it is destroyed.
    """

    def __init__(
        self,
        number: int,
        process: SpawnProcess,
        slot: Slot,
        transport: asyncio.WriteTransport,
        link: _Link,
    ) -> None:
        self.number = number
        self._process = process
        self._slot = np.ctypeslib.as_array(slot)
        self._transport = transport
        self._link = link

    @classmethod
    async def launch(cls, spec: ModelSpec, number: int, slot: Slot) -> "WorkerProcess":
        """Start a process; it begins to load the model.

        Args:
            spec: Of the model.
            number: Which of the pool's workers it is, from 0.
            slot: No other process that still lives has it.
        """
        context = multiprocessing.get_context("spawn")
        ours, theirs = socket.socketpair()
        # The child has its own copy of `theirs`; ours would keep the link open when it dies.
        with theirs:
            loop = asyncio.get_running_loop()
            transport, link = await loop.create_connection(_Link, sock=ours)
            # Nothing is awaited once the process runs: cancelled there, nobody would end it.
            process = context.Process(
                target=run, args=(theirs, slot, spec), name=f"{spec.name}-{number}", daemon=True
            )
            # A signal to the whole group, such as Ctrl-C, is the server's to act on. The process
            # inherits the mask, and takes it off once it ignores these signals.
            # The tracker, if it were started in between, would take the mask off again.
            resource_tracker.ensure_running()
            before = signal.pthread_sigmask(signal.SIG_BLOCK, SERVER_SIGNALS)
            try:
                process.start()
            except BaseException:
                transport.close()
                raise
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return cls(number, process, slot, transport, link)

    @property
    def pid(self) -> int:
        """The process id."""
        pid = self._process.pid
        assert pid is not None  # it has been started
        return pid

    @property
    def lost(self) -> asyncio.Future[None]:
        """Done once the process is gone."""
        return self._link.lost

    @property
    def gone(self) -> bool:
        """Whether nothing can be said to the process any more."""
        return self._link.lost.done() or self._transport.is_closing()

    async def loaded(self) -> ipc.Ready:
        """Wait until the model is loaded and warm; returns how it wants to be used.

        Raises:
            ModelCannotLoad: It never will be; the message says why.
            WorkerDied: A signal ended the process, which need not be the model's fault.
        """
        try:
            message = await self._link.answer()
        except WorkerDied:
            await self._exited()
            self._process.join(REAPING_S)
            code = self._process.exitcode
            if code is not None and code < 0:
                raise WorkerDied(f"its process was ended by signal {-code}") from None
            raise ModelCannotLoad(f"its process ended with exit code {code}") from None
        if isinstance(message, ipc.LoadFailed):
            raise ModelCannotLoad(message.reason)
        assert isinstance(message, ipc.Ready)
        return message

    async def infer(self, segments: Sequence[Audio], states: Sequence[bytes | None]) -> ipc.Answers:
        """Run one batch; only one at a time. Returns a result for each segment.

        Raises:
            WorkerDied: The process ended before it answered.
        """
        if self.gone:  # uvloop raises when it is to write then, asyncio does not
            raise WorkerDied
        jobs = [
            ipc.Job(sum(map(len, audio)), state)
            for audio, state in zip(segments, states, strict=True)
        ]
        pieces = [piece for audio in segments for piece in audio]
        total = sum(job.samples for job in jobs)
        inline = None
        if total > len(self._slot):
            inline = b"".join(piece.tobytes() for piece in pieces)
        elif total:
            np.concatenate(pieces, out=self._slot[:total])
        self._transport.write(ipc.encode(ipc.Batch(jobs, inline)))
        del segments, pieces, inline  # the worker may take its time, and the client be gone
        message = await self._link.answer()
        assert isinstance(message, ipc.Answers)
        return message

    def abandon(self) -> None:
        """Say that nobody wants what is being inferred; the model may stop then."""
        if not self.gone:
            self._transport.write(ipc.encode(ipc.Abandon()))

    async def end(self, *, at_once: bool = False) -> None:
        """End the process and free all that it held. It is gone when this returns or raises."""
        self._transport.close()
        if at_once:
            self._process.kill()
        try:
            await self._exited()
        finally:
            # Also when cancelled. Nothing outlives SIGKILL, so this does not hold up the loop.
            self._process.kill()
            self._process.join()
            self._process.close()

    async def _exited(self) -> None:
        """Wait for the process to end by itself, for so long as it is given."""
        loop = asyncio.get_running_loop()
        gone = asyncio.Event()
        loop.add_reader(self._process.sentinel, gone.set)
        try:
            async with asyncio.timeout(EXIT_GRACE_S):
                await gone.wait()
        except TimeoutError:
            pass
        finally:
            loop.remove_reader(self._process.sentinel)
