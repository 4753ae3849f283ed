"""Running a batch on a model: each segment passes the model's gate, and what is left is inferred.

A model's exception is the outcome of its segment, and not the end of the worker.
"""

import itertools
import pickle
import time
from collections.abc import Iterator, Mapping, Sized
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from streamer.inference import ipc, timed_words
from streamer.inference.drafts import taken
from streamer.inference.model_errors import describe, place_of
from streamer.inference.outputs import plain
from streamer.model import Dropped, Model, SegmentRequest, StatefulModel
from streamer.models.interims import ModelWithInterims

SegmentSamples = npt.NDArray[np.float32]


class _Segment(NamedTuple):
    """A segment of a batch: its samples, the state of its channel, and what is asked for."""

    samples: SegmentSamples
    state: bytes | None
    request: SegmentRequest


def warm_up(model: Model) -> None:
    """Run the model once, as it runs for a segment, so that a wrong result ends the server.

    A model with a `warm_up` of its own has that run instead.
    """
    silence = np.zeros(model.sample_rate, dtype=np.float32)
    silence.flags.writeable = False
    for part in models_of(model):
        if type(part).warm_up is not Model.warm_up:
            part.warm_up()
        else:
            _run_alone(part, _Segment(silence, None, ipc.DEFAULT_REQUEST))


def max_batch_size(model: Model) -> int:
    """Segments. The most that a batch for the model may have."""
    return model.max_batch_size if all(map(_takes_batches, models_of(model))) else 1


def models_of(model: Model) -> tuple[Model, ...]:
    """The model, or both of a pair."""
    return model.both if isinstance(model, ModelWithInterims) else (model,)


def inference_method(model: Model) -> str:
    """The name of the method that a segment is inferred with."""
    if isinstance(model, StatefulModel):
        return "infer_next"
    if _takes_requests(model):
        return "infer_request"
    return "infer" if type(model).infer_batch is Model.infer_batch else "infer_batch"


def infer_batch(
    model: Model, batch: ipc.Batch, slot: SegmentSamples
) -> tuple[list[ipc.ItemOutcome], str | None]:
    """An outcome for each segment, and why each was run alone if the batch failed.

    Args:
        model: The worker's.
        batch: What the server has sent.
        slot: float32 [n]: the samples of the segments, one after another, unless they are in the
            batch itself.

    Raises:
        Unwanted: By the model: the results are not needed any more.
    """
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
        seconds = time.perf_counter() - started
        return _done(model, output, seconds, "gate", segment.state, dropped=True)
    except Exception as error:  # the model's own; this worker is fine
        return _raised(models_of(model)[0], error, started, "gate")


def _infer_passed(
    model: Model, segments: list[_Segment]
) -> tuple[list[ipc.ItemOutcome], str | None]:
    """As `infer_batch`, for the segments that the gate has passed."""
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
            place = place_of(error, model, "infer_batch")
            split = f"{describe(error)} ({place})" if place else describe(error)
    return [_infer_alone(model, segment) for segment in segments], split


def _infer_alone(model: Model, segment: _Segment) -> ipc.ItemOutcome:
    started = time.perf_counter()
    try:
        return _run_alone(model, segment)
    except Exception as error:  # the model's own; this worker is fine
        return _raised(model, error, started, inference_method(model))


def _run_alone(model: Model, segment: _Segment) -> ipc.ItemOutcome:
    started = time.perf_counter()
    if isinstance(model, StatefulModel):
        return _infer_next(model, segment, started)
    if _takes_requests(model):
        output = model.infer_request(segment.samples, segment.request)
        return _done(model, output, time.perf_counter() - started, "infer_request")
    (outcome,) = _infer_together(model, [segment])
    return outcome


def _infer_together(model: Model, segments: list[_Segment]) -> list[ipc.ItemOutcome]:
    started = time.perf_counter()
    outputs = model.infer_batch([segment.samples for segment in segments])
    seconds = (time.perf_counter() - started) / len(segments)
    if isinstance(outputs, str | Mapping) or not isinstance(outputs, Sized):
        raise TypeError(
            f"infer_batch returned {type(outputs).__name__}; it must return a list with a mapping "
            'for each segment, such as [{"score": 0.5}]'
        )
    if len(outputs) != len(segments):
        raise ValueError(
            f"infer_batch returned {len(outputs)} results for {len(segments)} segments"
        )
    return [_done(model, output, seconds, inference_method(model)) for output in outputs]


def _infer_next(model: StatefulModel, segment: _Segment, started: float) -> ipc.Done:
    # Pickled by this server's own workers and by nothing else.
    before = None if segment.state is None else pickle.loads(segment.state)  # noqa: S301
    returned: object = model.infer_next(segment.samples, before)
    if not (isinstance(returned, tuple | list) and len(returned) == 2):
        count = f" of {len(returned)}" if isinstance(returned, tuple | list) else ""
        raise TypeError(
            f"infer_next returned {type(returned).__name__}{count}; it must return two values, the "
            'fields and the next state, such as {"score": 0.5}, state'
        )
    output, after = returned
    seconds = time.perf_counter() - started
    return _done(model, output, seconds, "infer_next", _pickled(after))


def _pickled(state: object) -> bytes:
    """The next state of a channel.

    Raises:
        TypeError: It cannot be pickled.
    """
    try:
        return pickle.dumps(state)
    except Exception as error:  # whatever the classes of the model raise
        kind = type(state).__name__
        raise TypeError(
            f"infer_next returned a state ({kind}) that cannot be pickled: {error}; allowed: what "
            "pickle can send to another process"
        ) from error


def _done(
    model: Model,
    output: Mapping[str, object],
    seconds: float,
    method: str,
    state: bytes | None = None,
    *,
    dropped: bool = False,
) -> ipc.Done:
    fields, draft = taken(output, method) if model.uses_drafts else (output, b"")
    converted = plain(fields, method)
    if model.returns_words:
        timed_words.read_words(converted)
    dropped = dropped or isinstance(output, Dropped)
    return ipc.Done(converted, seconds, state, dropped=dropped, draft=draft)


def _raised(model: Model, error: Exception, started: float, method: str) -> ipc.Raised:
    seconds = time.perf_counter() - started
    return ipc.Raised(describe(error), seconds, place_of(error, model, method))


def _takes_batches(model: Model) -> bool:
    return not (isinstance(model, StatefulModel) or _takes_requests(model))


def _takes_requests(model: Model) -> bool:
    """Whether the model has an `infer_request` of its own."""
    return type(model).infer_request is not Model.infer_request
