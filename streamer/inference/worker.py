"""The worker process: load the model, report that, run batches until the server closes the link."""

import ctypes
import inspect
import itertools
import multiprocessing
import os
import pickle
import resource
import selectors
import signal
import socket
import sys
import sysconfig
import threading
import time
import traceback
from collections import deque
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from streamer.inference import ipc, timed_words
from streamer.model import Dropped, Model, SegmentRequest, StatefulModel, Unwanted
from streamer.models.interims import ModelWithInterims
from streamer.models.registry import ModelSpec, ModelTypeError, make_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SegmentSamples = npt.NDArray[np.float32]

SERVER_SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""Ignored by workers: they may reach the whole process group, and the server ends its workers."""

LONGEST_REASON = 500
"""Characters of a model's error message that are sent to the server."""

_PACKAGE = str(Path(__file__).parents[1])
_LIBRARIES = tuple(
    sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
"""Folders of the standard library and of installed packages."""

_PR_SET_PDEATHSIG = 1  # prctl(2)


def run(link: socket.socket, slot: "ctypes.Array[ctypes.c_float]", spec: ModelSpec) -> None:
    """Entry point of the process.

    Args:
        link: This end of the private socket pair.
        slot: Shared memory into which the server writes each batch's samples.
        spec: The model to make.
    """
    for number in SERVER_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SERVER_SIGNALS)
    _die_with_parent()
    model = None
    try:
        model = make_model(spec)
        _warm_up(model)
    except BaseException as error:  # whatever it is, the server reports it
        place = _place_in_model(error) or _place_of_inference(model)
        # The message of a wrong setting is a sentence, and the name of its class adds nothing.
        reason = str(error) if isinstance(error, ModelTypeError) else _describe(error)
        link.sendall(ipc.encode_message(ipc.LoadFailed(reason + place)))
        return
    link.sendall(ipc.encode_message(_ready(model)))
    samples = np.ctypeslib.as_array(slot)
    samples.flags.writeable = False
    with selectors.DefaultSelector() as selector:
        selector.register(link, selectors.EVENT_READ)
        batches = _Batches(link, selector)
        model.unwanted = batches.unwanted
        _serve(link, model, batches, samples)


def _warm_up(model: Model) -> None:
    """Run the model once, as it runs for a segment, so that a wrong result ends the server.

    A model with a `warm_up` of its own has that run instead.
    """
    silence = np.zeros(model.sample_rate, dtype=np.float32)
    silence.flags.writeable = False
    for part in _parts(model):
        if type(part).warm_up is not Model.warm_up:
            part.warm_up()
        else:
            _run_alone(part, _Segment(silence, None, ipc.NO_WISHES))


class _Batches:
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


def _serve(link: socket.socket, model: Model, batches: _Batches, samples: SegmentSamples) -> None:
    for batch in batches:
        link.sendall(ipc.encode_message(_answer(model, batch, samples)))


def _answer(model: Model, batch: ipc.Batch, slot: SegmentSamples) -> ipc.BatchOutcome:
    begun_s, cpu_s = time.monotonic(), time.process_time()
    try:
        if model.unwanted():
            raise Unwanted
        outcomes, split = _infer(model, batch, slot)
    except Unwanted:
        outcomes, split = [ipc.Abandoned() for _ in batch.items], None
    return ipc.BatchOutcome(
        outcomes,
        begun_s,
        time.monotonic(),
        time.process_time() - cpu_s,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        split,
    )


def _ready(model: Model) -> ipc.Ready:
    return ipc.Ready(
        model.sample_rate,
        model.max_batch_size if all(map(_takes_batches, _parts(model))) else 1,
        model.max_batch_wait_ms,
        isinstance(model, StatefulModel),
        model.max_seconds,
        words=model.returns_words,
        key_terms=model.uses_key_terms,
    )


def _parts(model: Model) -> tuple[Model, ...]:
    return model.both if isinstance(model, ModelWithInterims) else (model,)


def _takes_batches(model: Model) -> bool:
    return not (isinstance(model, StatefulModel) or _takes_requests(model))


def _takes_requests(model: Model) -> bool:
    """Whether the model has an `infer_request` of its own."""
    return type(model).infer_request is not Model.infer_request


class _Segment(NamedTuple):
    """A segment of a batch: its samples, the state of its channel, and what is wanted of it."""

    samples: SegmentSamples
    state: bytes | None
    request: SegmentRequest


def _infer(
    model: Model, batch: ipc.Batch, slot: SegmentSamples
) -> tuple[list[ipc.ItemOutcome], str | None]:
    """An outcome for each segment, and why each was run alone if the batch failed."""
    source = slot if batch.inline is None else np.frombuffer(batch.inline, dtype=np.float32)
    items = batch.items
    ends = itertools.accumulate(item.samples for item in items)
    segments = [
        _Segment(source[end - item.samples : end], item.state, item.request)
        for item, end in zip(items, ends, strict=True)
    ]
    gated = [_gate(model, segment) for segment in segments]
    passed = [segment for segment, outcome in zip(segments, gated, strict=True) if outcome is None]
    inferred, split = _infer_passed(model, passed)
    rest = iter(inferred)
    return [next(rest) if outcome is None else outcome for outcome in gated], split


def _gate(model: Model, segment: _Segment) -> ipc.Done | ipc.Raised | None:
    """The outcome of a segment that needs no inference; None = it needs it."""
    started = time.perf_counter()
    try:
        output = model.gate(segment.samples)
        if output is None:
            return None
        return _done(model, output, time.perf_counter() - started, segment.state, dropped=True)
    except Exception as error:  # the model's own; this worker is fine
        return _raised(error, started)


def _infer_passed(
    model: Model, segments: list[_Segment]
) -> tuple[list[ipc.ItemOutcome], str | None]:
    """As `_infer`, for the segments that the gate has passed."""
    if not isinstance(model, ModelWithInterims):
        return _infer_with(model, segments)
    answers: list[Iterator[ipc.ItemOutcome]] = []
    splits: list[str | None] = []
    for part, is_interim in zip(model.both, (False, True), strict=True):
        own = [segment for segment in segments if segment.request.interim is is_interim]
        outcomes, split = _infer_with(part, own)
        answers.append(iter(outcomes))
        splits.append(split)
    ordered = [next(answers[segment.request.interim]) for segment in segments]
    return ordered, next(filter(None, splits), None)


def _infer_with(model: Model, segments: list[_Segment]) -> tuple[list[ipc.ItemOutcome], str | None]:
    if not _takes_batches(model):
        return [_infer_alone(model, segment) for segment in segments], None
    split = None
    if len(segments) > 1:
        try:
            return _infer_together(model, segments), None
        except Exception as error:  # the model's own; this worker is fine
            split = _describe(error)
    return [_infer_alone(model, segment) for segment in segments], split


def _infer_alone(model: Model, segment: _Segment) -> ipc.ItemOutcome:
    started = time.perf_counter()
    try:
        return _run_alone(model, segment)
    except Exception as error:  # the model's own; this worker is fine
        return _raised(error, started)


def _run_alone(model: Model, segment: _Segment) -> ipc.ItemOutcome:
    started = time.perf_counter()
    if isinstance(model, StatefulModel):
        return _infer_next(model, segment, started)
    if _takes_requests(model):
        output = model.infer_request(segment.samples, segment.request)
        return _done(model, output, time.perf_counter() - started)
    (outcome,) = _infer_together(model, [segment])
    return outcome


def _infer_together(model: Model, segments: list[_Segment]) -> list[ipc.ItemOutcome]:
    started = time.perf_counter()
    outputs = model.infer_batch([segment.samples for segment in segments])
    seconds = (time.perf_counter() - started) / len(segments)
    if len(outputs) != len(segments):
        raise ValueError(
            f"infer_batch returned {len(outputs)} results for {len(segments)} segments"
        )
    return [_done(model, output, seconds) for output in outputs]


def _infer_next(model: StatefulModel, segment: _Segment, started: float) -> ipc.Done:
    # Pickled by this server's own workers and by nothing else.
    before = None if segment.state is None else pickle.loads(segment.state)  # noqa: S301
    output, after = model.infer_next(segment.samples, before)
    return _done(model, output, time.perf_counter() - started, pickle.dumps(after))


def _done(
    model: Model,
    output: "Mapping[str, object]",
    seconds: float,
    state: bytes | None = None,
    *,
    dropped: bool = False,
) -> ipc.Done:
    converted = ipc.plain(output)
    if model.returns_words:
        timed_words.read_words(converted)
    return ipc.Done(converted, seconds, state, dropped=dropped or isinstance(output, Dropped))


def _raised(error: Exception, started: float) -> ipc.Raised:
    innermost = traceback.extract_tb(error.__traceback__)[-1]
    # What the model returned, and cannot be sent, is found in this server's own code.
    is_own = innermost.filename in (ipc.__file__, timed_words.__file__)
    where = "" if is_own else f"{innermost.filename}:{innermost.lineno} in {innermost.name}"
    return ipc.Raised(_describe(error), time.perf_counter() - started, where)


def _place_in_model(error: BaseException) -> str:
    """Where the model's own code failed while it was loaded, ` (file:line in function)`.

    Empty if none of it ran: then the message says what is wrong with the configuration.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({error.filename}:{error.lineno})"
    while error.__cause__ is not None:
        error = error.__cause__
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((_PACKAGE, "<frozen", *_LIBRARIES))
    ]
    return f" ({own[-1].filename}:{own[-1].lineno} in {own[-1].name})" if own else ""


def _place_of_inference(model: Model | None) -> str:
    """Where the method is that returned something wrong, ` (file:line in function)`.

    Empty if there is no model, or the method is not written in Python.
    """
    if model is None:
        return ""
    model, *_ = _parts(model)  # of a pair, both have the same class
    method: Callable[..., object]
    if isinstance(model, StatefulModel):
        method = type(model).infer_next
    elif _takes_requests(model):
        method = type(model).infer_request
    elif type(model).infer_batch is not Model.infer_batch:
        method = type(model).infer_batch
    else:
        method = type(model).infer
    code = getattr(inspect.unwrap(method), "__code__", None)
    return f" ({code.co_filename}:{code.co_firstlineno} in {code.co_name})" if code else ""


def _describe(error: BaseException) -> str:
    """The error in one line that can be sent, whatever characters the model put into it."""
    name = type(error).__name__
    try:
        text = f"{name}: {error}"
    except Exception:  # `__str__` is the model's code, too
        text = name
    printable = "".join(char if char.isprintable() else " " for char in text)
    return printable.encode("utf-8", "replace").decode()[:LONGEST_REASON]


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
