"""One worker process, seen from the server: start it, run batches in it, notice its death."""

import asyncio
import ctypes
import multiprocessing
import signal
import socket
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnProcess
from typing import NamedTuple, TypeAlias

import numpy as np

from streamer.inference import ipc
from streamer.inference.exit_causes import describe_exit
from streamer.inference.job import SegmentAudio
from streamer.inference.worker import SERVER_SIGNALS, run
from streamer.model import SegmentRequest
from streamer.models.registry import ModelSpec

SLOT_SAMPLES = 60 * 16_000
"""Samples in a worker's shared-memory slot: the longest allowed segment, at 16 kHz."""

Slot: TypeAlias = "ctypes.Array[ctypes.c_float]"

REAPING_S = 0.2
"""Seconds in which a process that has closed its files and sockets is gone."""

EXIT_GRACE_S = 2.0
"""Seconds in which an idle worker ends by itself after its link has closed; then it is killed."""


EntryPoint = Callable[[socket.socket, Slot, ModelSpec], None]
"""What a worker process runs: with its end of the link, its slot, and the model."""


class Program(NamedTuple):
    """What the process of a worker does.

    Attributes:
        run: Its entry point, which can be pickled.
        remote: Whether it passes its jobs on to another machine. Such a process ends when it has
            lost that machine, so its death is not the work of a segment.
    """

    run: EntryPoint
    remote: bool = False


LOCAL = Program(run)
"""The model runs in the worker process itself."""


class WorkerDied(Exception):
    """The process ended, or was killed, before it answered.

    Args:
        how: A phrase, which clients may see.
        by_model: Whether the model may have been the reason.
        detail: For the log only: it names machines.
    """

    def __init__(self, how: str = "", *, by_model: bool = True, detail: str = "") -> None:
        super().__init__(how)
        self.by_model = by_model
        self.detail = detail


class ModelCannotLoad(Exception):
    """The model raised, or killed its process, while it was loaded."""


def new_slot() -> Slot:
    """Shared memory for the samples of one worker at a time."""
    return multiprocessing.get_context("spawn").RawArray(ctypes.c_float, SLOT_SAMPLES)


class _Link(asyncio.Protocol):
    """The server's end of the private socket pair."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = loop.create_future()
        self._reader = ipc.WorkerMessageReader()
        self._received: deque[ipc.WorkerMessage] = deque()
        self._arrived: asyncio.Future[None] = loop.create_future()

    def data_received(self, data: bytes) -> None:
        self._received.extend(self._reader.feed(data))
        if self._received and not self._arrived.done():
            self._arrived.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)

    async def answer(self) -> ipc.WorkerMessage:
        """The next message; it may have come already. Raises `WorkerDied` when none will come."""
        await asyncio.wait((self._arrived, self.lost), return_when=asyncio.FIRST_COMPLETED)
        if not self._received:
            raise WorkerDied
        message = self._received.popleft()
        if not self._received:
            self._arrived = asyncio.get_running_loop().create_future()
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
        *,
        remote: bool,
    ) -> None:
        self.number = number
        self.place: tuple[int, str] = (process.pid or 0, "")
        """The process that runs the model: its id, and its machine; empty = this one."""
        self._remote = remote
        self._process = process
        self._slot = np.ctypeslib.as_array(slot)
        self._transport = transport
        self._link = link

    @classmethod
    async def launch(
        cls, spec: ModelSpec, number: int, slot: Slot, program: Program = LOCAL
    ) -> "WorkerProcess":
        """Start a process; it begins to load the model.

        Args:
            spec: The model.
            number: Which of the pool's workers it is, from 0.
            slot: For its samples; no other living process uses it.
            program: What the process does.
        """
        context = multiprocessing.get_context("spawn")
        ours, theirs = socket.socketpair()
        # The child has its own copy of `theirs`; ours would keep the link open when it dies.
        with theirs:
            loop = asyncio.get_running_loop()
            transport, link = await loop.create_connection(_Link, sock=ours)
            # Nothing is awaited once the process runs: a cancellation there would leave it alive.
            process = context.Process(
                target=program.run,
                args=(theirs, slot, spec),
                name=f"{spec.name}-{number}",
                daemon=True,
            )
            # Only the server acts on a signal to the whole process group, such as Ctrl-C. The
            # process inherits the mask, and removes it once it ignores these signals.
            # Starting the tracker removes the mask, so the tracker is started before.
            resource_tracker.ensure_running()
            before = signal.pthread_sigmask(signal.SIG_BLOCK, SERVER_SIGNALS)
            try:
                process.start()
            except BaseException:
                transport.close()
                raise
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return cls(number, process, slot, transport, link, remote=program.remote)

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
        """Whether the process can receive nothing any more."""
        return self._link.lost.done() or self._transport.is_closing()

    async def loaded(self, on_wait: Callable[[ipc.NotYet], None] = lambda _: None) -> ipc.Ready:
        """Wait until the model is loaded and warm; returns its properties.

        Args:
            on_wait: Called each time that a remote worker says why it has no model yet.

        Raises:
            ModelCannotLoad: It cannot be loaded; the message says why.
            WorkerDied: A signal ended the process, which may not be the model's fault.
        """
        try:
            while isinstance(message := await self._link.answer(), ipc.NotYet):
                on_wait(message)
        except WorkerDied:
            code = await self._exit_code()
            how = f"its process died: {describe_exit(code)}"
            if code is not None and code < 0:
                raise WorkerDied(how) from None
            raise ModelCannotLoad(how) from None
        if isinstance(message, ipc.LoadFailed):
            raise ModelCannotLoad(message.reason)
        assert isinstance(message, ipc.Ready)
        if message.node:
            self.place = (message.pid, message.node)
        return message

    async def infer(
        self,
        segments: Sequence[SegmentAudio],
        states: Sequence[bytes | None],
        requests: Sequence[SegmentRequest],
    ) -> ipc.BatchOutcome:
        """Run one batch; only one at a time.

        Args:
            segments: The audio of each segment.
            states: Of a stateful model, the state of each segment's channel, pickled.
            requests: What is requested of each segment.

        Returns:
            An outcome for each segment.

        Raises:
            WorkerDied: The process ended before it answered.
        """
        if self.gone:  # a write would raise with uvloop, and not with asyncio
            raise WorkerDied(by_model=False)
        items = [
            ipc.BatchItem(sum(map(len, audio)), state, request)
            for audio, state, request in zip(segments, states, requests, strict=True)
        ]
        pieces = [piece for audio in segments for piece in audio]
        total = sum(item.samples for item in items)
        inline = None
        if total > len(self._slot):
            inline = b"".join(piece.tobytes() for piece in pieces)
        elif total:
            np.concatenate(pieces, out=self._slot[:total])
        self._transport.write(ipc.encode_message(ipc.Batch(items, inline)))
        del segments, pieces, inline  # not kept alive while the worker runs
        try:
            message = await self._link.answer()
        except WorkerDied:
            raise WorkerDied(by_model=not self._remote) from None
        if isinstance(message, ipc.Lost):
            how = "its process on another machine has ended"
            raise WorkerDied(how, by_model=message.by_model, detail=message.reason)
        assert isinstance(message, ipc.BatchOutcome)
        assert len(message.outcomes) == len(items)
        return message

    def abandon(self) -> None:
        """Send the worker that its batch is not needed any more, so that the model can stop."""
        if not self.gone:
            self._transport.write(ipc.encode_message(ipc.Abandon()))

    async def how_it_ended(self) -> str:
        """A phrase about the exit code or the signal, once the process is lost."""
        return describe_exit(await self._exit_code())

    async def end(self, *, at_once: bool = False) -> None:
        """End the process and free its resources. It is gone when this returns or raises.

        Args:
            at_once: Kill it; otherwise an idle worker may end by itself within `EXIT_GRACE_S`.
        """
        self._transport.close()
        if at_once:
            self._process.kill()
        try:
            await self._exited()
        finally:
            # Also when cancelled. SIGKILL ends every process, so `join` does not block for long.
            self._process.kill()
            self._process.join()
            self._process.close()

    async def _exit_code(self) -> int | None:
        """Of a process that is lost; None = it has not ended within `EXIT_GRACE_S`."""
        await self._exited()
        self._process.join(REAPING_S)
        return self._process.exitcode

    async def _exited(self) -> None:
        """Wait until the process has ended by itself, at most `EXIT_GRACE_S`."""
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
