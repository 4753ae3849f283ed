"""The worker process: load the model, say so, then one job after another until the server goes."""

import ctypes
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

import numpy as np

from streamer.inference import wire
from streamer.inference.model import Model, ModelSpec, make_model

if TYPE_CHECKING:
    from collections.abc import Iterator

_PR_SET_PDEATHSIG = 1  # prctl(2)


def run(link: socket.socket, slot: "ctypes.Array[ctypes.c_float]", spec: ModelSpec) -> None:
    """Entry point of the process.

    Args:
        link: This end of the private socket pair.
        slot: Shared memory into which the server writes each job's samples.
        spec: The model to make.
    """
    # Ctrl-C reaches the whole process group; when to end is the server's to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    try:
        model = make_model(spec)
        model.warm_up()
    except BaseException as error:  # whatever it is, the server has to say it
        link.sendall(wire.encode(wire.LoadFailed(_describe(error))))
        return
    link.sendall(wire.encode(wire.Ready(model.sample_rate)))
    samples = np.ctypeslib.as_array(slot)
    samples.flags.writeable = False
    for job in _jobs(link):
        link.sendall(_answer(model, job, samples))


def _jobs(link: socket.socket) -> "Iterator[wire.Job]":
    reader = wire.FrameReader()
    while data := link.recv(1 << 16):
        for message in reader.feed(data):
            assert isinstance(message, wire.Job)
            yield message


def _answer(model: Model, job: wire.Job, slot: "np.typing.NDArray[np.float32]") -> bytes:
    samples = slot[: job.samples]
    if job.inline is not None:
        samples = np.frombuffer(job.inline, dtype=np.float32)
    started = time.perf_counter()
    try:
        output = dict(model.infer(samples))
        return wire.encode(wire.Done(output, time.perf_counter() - started))
    except Exception as error:  # the model's own; this worker is fine
        return wire.encode(wire.Raised(_describe(error)))


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _die_with_parent() -> None:
    """End this process with the server, even one ended by SIGKILL in the middle of a job."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True).start()


def _watch(parent_sentinel: int) -> None:
    wait([parent_sentinel])
    os._exit(1)
