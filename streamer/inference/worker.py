"""The worker process: load the model, report that, run batches until the server closes the link."""

import ctypes
import multiprocessing
import os
import resource
import selectors
import signal
import socket
import sys
import threading
import time
from collections import deque
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from streamer.inference import ipc
from streamer.inference.batch_inference import (
    SegmentSamples,
    infer_batch,
    inference_method,
    max_batch_size,
    models_of,
    warm_up,
)
from streamer.inference.drafts import abandoned
from streamer.inference.model_errors import describe, place_of_method, place_while_loading
from streamer.model import Model, StatefulModel, Unwanted
from streamer.models.registry import ModelSpec, ModelTypeError, make_model, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER_SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""Ignored by workers: they may reach the whole process group, and the server ends its workers."""

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Variables of the libraries that NumPy may use: the threads of a product."""

_PR_SET_PDEATHSIG = 1  # prctl(2)


def run(link: socket.socket, slot: "ctypes.Array[ctypes.c_float]", spec: ModelSpec) -> None:
    """Entry point of the process.

    Args:
        link: This end of the private socket pair.
        slot: Shared memory into which the server writes each batch's samples.
        spec: The model to make.
    """
    prepare_process()
    model = None
    try:
        model = make_model(spec)
        warm_up(model)
    except BaseException as error:  # whatever it is, the server reports it
        place = place_while_loading(error)
        if model is not None and not place:  # what it returned is wrong
            part = models_of(model)[0]  # of a pair, both have the same class
            place = place_of_method(part, inference_method(part))
        # The message of a wrong setting is a sentence, and the name of its class adds nothing.
        reason = str(error) if isinstance(error, ModelTypeError) else describe(error)
        link.sendall(ipc.encode_message(ipc.LoadFailed(f"{reason} ({place})" if place else reason)))
        return
    link.sendall(ipc.encode_message(properties_of(model)))
    samples = np.ctypeslib.as_array(slot)
    samples.flags.writeable = False
    with selectors.DefaultSelector() as selector:
        selector.register(link, selectors.EVENT_READ)
        batches = BatchReader(link, selector)
        model.unwanted = batches.unwanted
        _serve(link, model, batches, samples)


def prepare_process() -> None:
    """What every worker process does first: leave signals to the server, and end with it."""
    ignore_server_signals()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SERVER_SIGNALS)
    _die_with_parent()
    use_one_thread()


def ignore_server_signals() -> None:
    """Leave the signals that may reach the whole process group to the server."""
    for number in SERVER_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def use_one_thread() -> None:
    """Limit NumPy's products to this worker's core, unless the environment says how many they use.

    There is a worker for each core. With more threads each, a small product waits for a core that
    another worker occupies: it takes milliseconds instead of microseconds.
    """
    if os.environ.keys().isdisjoint(THREAD_VARIABLES):
        threadpool_limits(1, user_api="blas")


class BatchReader:
    """The batches that the server sends, one after another.

    While a batch runs, the server sends nothing but `Abandon`, and closes its end of the link when
    it ends. So whatever follows a batch means that its results are not needed any more, and a model
    that asks costs one system call.

    Args:
        link: This end of the socket pair.
        selector: Has the link registered for reading.
    """

    def __init__(self, link: socket.socket, selector: selectors.BaseSelector) -> None:
        self._link = link
        self._selector = selector
        self._reader = ipc.WorkerMessageReader()
        self._received: deque[ipc.WorkerMessage] = deque()

    def __iter__(self) -> "Iterator[ipc.Batch]":
        while True:
            while self._received:
                message = self._received.popleft()
                if isinstance(message, ipc.Batch):  # an `Abandon` here came after its batch
                    yield message
            data = self._link.recv(1 << 16)
            if not data:
                return
            self._received.extend(self._reader.feed(data))

    def unwanted(self) -> bool:
        """Whether the batch that was taken last is not needed any more."""
        # The rest may have been received together with the batch.
        return bool(self._received) or bool(self._selector.select(0))


def _serve(
    link: socket.socket, model: Model, batches: BatchReader, samples: SegmentSamples
) -> None:
    for batch in batches:
        link.sendall(ipc.encode_message(_answer(model, batch, samples)))


def _answer(model: Model, batch: ipc.Batch, slot: SegmentSamples) -> ipc.BatchOutcome:
    begun_s, cpu_s = time.monotonic(), time.process_time()
    try:
        if model.unwanted():
            raise Unwanted
        outcomes, split = infer_batch(model, batch, slot)
    except Unwanted as stopped:
        outcomes, split = abandoned(stopped, len(batch.items)), None
    return ipc.BatchOutcome(
        outcomes,
        begun_s,
        time.monotonic(),
        time.process_time() - cpu_s,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        split,
    )


def properties_of(model: Model) -> ipc.Ready:
    """What the server has to know of a model that is loaded and warm."""
    return ipc.Ready(
        model.sample_rate,
        max_batch_size(model),
        model.max_batch_wait_ms,
        isinstance(model, StatefulModel),
        model.max_seconds,
        words=model.returns_words,
        key_terms=model.uses_key_terms,
        drafts=model.uses_drafts,
        drafts_off=any(type(m).uses_drafts and not m.uses_drafts for m in models_of(model)),
        source=source_of(models_of(model)[0]),
        languages=tuple(model.languages),
    )


def _die_with_parent() -> None:
    """End this process when the server ends, even by SIGKILL while a batch runs."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True).start()


def _watch(parent_sentinel: int) -> None:
    wait([parent_sentinel])
    os._exit(1)
