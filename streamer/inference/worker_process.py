"""One worker process, seen from the server: start it, run batches in it, notice its death."""

import asyncio
import multiprocessing
import signal
import socket
from collections.abc import Callable, Sequence
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnProcess

import numpy as np

from streamer.inference import ipc
from streamer.inference.exit_causes import describe_exit
from streamer.inference.job import SegmentAudio
from streamer.inference.worker import SERVER_SIGNALS
from streamer.inference.worker_link import WorkerDied, WorkerLink
from streamer.inference.worker_program import LOCAL, Program, Slot
from streamer.model import SegmentRequest
from streamer.models.registry import ModelSpec

REAPING_S = 0.2
"""Seconds in which a process that has closed its files and sockets is gone."""

EXIT_GRACE_S = 2.0
"""Seconds in which an idle worker ends by itself after its link has closed; then it is killed."""


class ModelCannotLoad(Exception):
    """The model raised, or killed its process, while it was loaded."""


class WorkerProcess:
    """A spawned process with a link and a slot of its own; nothing is shared between workers.

    Never forked: a forked ONNX Runtime session can crash when it is destroyed.
    """

    def __init__(
        self, number: int, process: SpawnProcess, slot: Slot, link: WorkerLink, *, remote: bool
    ) -> None:
        self.number = number
        self.place: tuple[int, str] = (process.pid or 0, "")
        """The process that runs the model: its id, and its machine; empty = this one."""
        self._remote = remote
        self._process = process
        self._slot = np.ctypeslib.as_array(slot)
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
            _, link = await loop.create_connection(WorkerLink, sock=ours)
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
                link.close()
                raise
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return cls(number, process, slot, link, remote=program.remote)

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
        return self._link.closed

    async def loaded(self, on_wait: Callable[[ipc.NotYet], None] = lambda _: None) -> ipc.Ready:
        """Wait until the model is loaded and warm; returns its properties.

        Args:
            on_wait: Called each time that a remote worker says why it has no model yet.

        Raises:
            ModelCannotLoad: It cannot be loaded; the message says why.
            WorkerDied: A signal ended the process, or it has no model itself: the model may not be
                the reason.
        """
        try:
            while isinstance(message := await self._link.answer(), ipc.NotYet):
                on_wait(message)
        except WorkerDied:
            code = await self._exit_code()
            if self._remote:
                raise WorkerDied(self._describe(code), by_model=False) from None
            how = f"its process died: {self._describe(code)}"
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
        self._link.send(ipc.Batch(items, inline))
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
            self._link.send(ipc.Abandon())

    async def how_it_ended(self) -> str:
        """A phrase about the exit code or the signal, once the process is lost."""
        return self._describe(await self._exit_code())

    async def end(self, *, at_once: bool = False) -> None:
        """End the process and free its resources. It is gone when this returns or raises.

        Args:
            at_once: Kill it; otherwise an idle worker may end by itself within `EXIT_GRACE_S`.
        """
        self._link.close()
        if at_once:
            self._process.kill()
        try:
            await self._exited()
        finally:
            # Also when cancelled. SIGKILL ends every process, so `join` does not block for long.
            self._process.kill()
            self._process.join()
            self._process.close()

    def _describe(self, code: int | None) -> str:
        return describe_exit(code, has_model=not self._remote)

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
