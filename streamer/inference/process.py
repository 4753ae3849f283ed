"""One worker process as the server sees it: start it, give it a job, notice when it dies."""

import asyncio
import ctypes
import multiprocessing
import socket
from multiprocessing.context import SpawnProcess

import numpy as np
import numpy.typing as npt

from streamer.inference import wire
from streamer.inference.model import ModelSpec
from streamer.inference.worker import run

SLOT_SAMPLES = 60 * 16_000
"""Samples in a worker's shared-memory slot: the longest segment allowed, at 16 kHz."""

EXIT_GRACE_S = 2.0
"""An idle worker ends by itself when its link closes; one that does not in this time is killed."""


class WorkerDied(Exception):
    """The process ended, or closed its link, before it answered."""


class ModelCannotLoad(Exception):
    """The model raised, or killed its process, while it was loaded."""


class _Link(asyncio.Protocol):
    """The server's end of the private socket pair."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = loop.create_future()
        self._reader = wire.FrameReader()
        self._answer: asyncio.Future[wire.Message] = loop.create_future()

    def data_received(self, data: bytes) -> None:
        for message in self._reader.feed(data):
            if not self._answer.done():
                self._answer.set_result(message)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)

    async def answer(self) -> wire.Message:
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
        process: SpawnProcess,
        slot: "ctypes.Array[ctypes.c_float]",
        transport: asyncio.WriteTransport,
        link: _Link,
    ) -> None:
        self._process = process
        self._slot = np.ctypeslib.as_array(slot)
        self._transport = transport
        self._link = link
        self.sample_rate = 0

    @classmethod
    async def launch(cls, spec: ModelSpec, name: str) -> "WorkerProcess":
        """Start a process; it begins to load the model."""
        context = multiprocessing.get_context("spawn")
        slot = context.RawArray(ctypes.c_float, SLOT_SAMPLES)
        ours, theirs = socket.socketpair()
        process = context.Process(target=run, args=(theirs, slot, spec), name=name, daemon=True)
        try:
            process.start()
        except BaseException:
            ours.close()
            raise
        finally:
            # The child has its own copy; ours would keep the link open when the child dies.
            theirs.close()
        transport, link = await asyncio.get_running_loop().create_connection(_Link, sock=ours)
        return cls(process, slot, transport, link)

    @property
    def pid(self) -> int | None:
        """The process id."""
        return self._process.pid

    @property
    def lost(self) -> asyncio.Future[None]:
        """Done once the process is gone."""
        return self._link.lost

    async def loaded(self) -> None:
        """Wait until the model is loaded and warm.

        Raises:
            ModelCannotLoad: It never will be; the message says why.
        """
        try:
            message = await self._link.answer()
        except WorkerDied:
            await asyncio.to_thread(self._process.join, EXIT_GRACE_S)
            code = self._process.exitcode
            raise ModelCannotLoad(f"its process ended with exit code {code}") from None
        if isinstance(message, wire.LoadFailed):
            raise ModelCannotLoad(message.reason)
        assert isinstance(message, wire.Ready)
        self.sample_rate = message.sample_rate

    async def infer(self, samples: npt.NDArray[np.float32]) -> wire.Done | wire.Raised:
        """Run one job; only one at a time.

        Raises:
            WorkerDied: The process ended before it answered.
        """
        job = wire.Job(len(samples))
        if len(samples) <= len(self._slot):
            self._slot[: len(samples)] = samples
        else:
            job = wire.Job(len(samples), samples.tobytes())
        self._transport.write(wire.encode(job))
        message = await self._link.answer()
        assert isinstance(message, wire.Done | wire.Raised)
        return message

    async def end(self, *, at_once: bool = False) -> None:
        """End the process and free all that it held. It is gone when this returns."""
        self._transport.close()
        if at_once:
            self._process.kill()
        await asyncio.to_thread(self._process.join, EXIT_GRACE_S)
        if self._process.exitcode is None:
            self._process.kill()
            await asyncio.to_thread(self._process.join)
        self._process.close()
