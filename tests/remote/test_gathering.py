"""Calls of several servers in the batches of one model, in real threads."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import pytest

from streamer import Model, SegmentRequest, Unwanted
from streamer.inference import ipc
from streamer.remote.gathering import Gatherer
from tools.harness.process import wait_until

Samples = npt.NDArray[np.float32]

INTERIM = SegmentRequest(interim=True)


class Echo(Model):
    """Answers with the first sample and the batch's size, once it may."""

    max_batch_size = 4

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.batches: list[list[float]] = []

    def infer(self, samples: Samples) -> Mapping[str, object]:
        raise NotImplementedError

    def infer_batch(self, batch: Sequence[Samples]) -> Sequence[Mapping[str, object]]:
        self.batches.append([float(samples[0]) for samples in batch])
        while not self.may_answer.wait(0.005):
            if self.unwanted():
                raise Unwanted
        return [{"first": float(samples[0]), "size": len(batch)} for samples in batch]


class Calls:
    """Callers, each in a thread of its own."""

    def __init__(self, gatherer: Gatherer, threads: ThreadPoolExecutor) -> None:
        self.gatherer = gatherer
        self._threads = threads

    def infer(
        self, *firsts: float, key: str = "k", request: SegmentRequest = ipc.DEFAULT_REQUEST
    ) -> Future[ipc.BatchOutcome]:
        samples = b"".join(np.array([first, 0, 0], np.float32).tobytes() for first in firsts)
        items = [ipc.BatchItem(3, None, request) for _ in firsts]
        return self._threads.submit(self.gatherer.infer, key, items, samples)


def outputs(call: Future[ipc.BatchOutcome]) -> list[tuple[float, int]]:
    outcomes = call.result(30).outcomes
    done = [outcome for outcome in outcomes if isinstance(outcome, ipc.Done)]
    assert len(done) == len(outcomes)
    return [(one.output["first"], one.output["size"]) for one in done]


@contextmanager
def gathering(model: Model, max_wait_s: float = 0.0) -> Iterator[Calls]:
    gatherer = Gatherer(model, max_wait_s, 60.0)
    ended = threading.Event()

    def run() -> None:
        while not ended.is_set():
            gatherer.answer_next()

    with ThreadPoolExecutor(16) as threads:
        thread = threading.Thread(target=run)
        thread.start()
        calls = Calls(gatherer, threads)
        try:
            yield calls
        finally:
            if isinstance(model, Echo):
                model.may_answer.set()
            ended.set()
            last = calls.infer(0.0)  # wakes it
            last.result(30)
            thread.join()


def test_what_waits_meanwhile_is_one_batch_and_everyone_gets_its_own() -> None:
    model = Echo()
    with gathering(model) as calls:
        first = calls.infer(1.0)
        wait_until(lambda: len(model.batches) == 1, "the first runs")
        others = [calls.infer(2.0), calls.infer(3.0, 4.0)]
        wait_until(lambda: len(calls.gatherer._waiting) == 2, "the others wait")
        model.may_answer.set()
        assert outputs(first) == [(1.0, 1)]
        assert sorted(outputs(others[0]) + outputs(others[1])) == [(2.0, 3), (3.0, 3), (4.0, 3)]


def test_a_batch_is_never_larger_than_the_model_takes_and_no_call_is_cut() -> None:
    model = Echo()
    with gathering(model) as calls:
        first = calls.infer(0.5)
        wait_until(lambda: len(model.batches) == 1, "the first runs")
        others = [calls.infer(*range(3 * n + 1, 3 * n + 4)) for n in range(3)]
        wait_until(lambda: len(calls.gatherer._waiting) == 3, "the others wait")
        model.may_answer.set()
        assert [size for call in (first, *others) for _, size in outputs(call)] == [1] + 9 * [3]


def test_one_alone_waits_for_others_and_a_full_batch_does_not() -> None:
    model = Echo()
    model.may_answer.set()
    with gathering(model, max_wait_s=0.3) as calls:
        assert outputs(calls.infer(1.0)) == [(1.0, 1)]
    model = Echo()
    model.may_answer.set()
    with gathering(model, max_wait_s=0.3) as calls:
        four = [calls.infer(float(n)) for n in range(4)]
        assert sorted(one for call in four for one in outputs(call)) == [
            (float(n), 4) for n in range(4)
        ]


def test_finals_go_before_interims() -> None:
    model = Echo()
    with gathering(model) as calls:
        calls.infer(0.5)
        wait_until(lambda: len(model.batches) == 1, "the first runs")
        interims = [calls.infer(float(n), request=INTERIM) for n in range(4)]
        wait_until(lambda: len(calls.gatherer._waiting) == 4, "interims wait")
        final = calls.infer(9.0)
        wait_until(lambda: len(calls.gatherer._waiting) == 5, "and a final")
        model.may_answer.set()
        final.result(30)
        for interim in interims:
            interim.result(30)
        assert model.batches[1][0] == 9.0


def test_only_a_batch_that_no_caller_needs_is_given_up() -> None:
    model = Echo()
    with gathering(model) as calls:
        alone = calls.infer(1.0, key="alone")
        wait_until(lambda: len(model.batches) == 1, "it runs")
        pair = [calls.infer(2.0, key="a"), calls.infer(3.0, key="b")]
        wait_until(lambda: len(calls.gatherer._waiting) == 2, "a pair waits")
        calls.gatherer.abandon("alone")
        assert alone.result(30).outcomes == [ipc.Abandoned()]
        wait_until(lambda: len(model.batches) == 2, "the pair runs")
        calls.gatherer.abandon("a")
        model.may_answer.set()
        assert outputs(pair[1]) == [(3.0, 2)]


def test_what_was_abandoned_before_it_began_is_not_begun() -> None:
    model = Echo()
    with gathering(model) as calls:
        first = calls.infer(1.0)
        wait_until(lambda: len(model.batches) == 1, "the first runs")
        second = calls.infer(2.0, key="second")
        wait_until(lambda: len(calls.gatherer._waiting) == 1, "the second waits")
        calls.gatherer.abandon("second")
        model.may_answer.set()
        assert second.result(30).outcomes == [ipc.Abandoned()]
        assert outputs(first) == [(1.0, 1)]
        assert model.batches[1:] == []


def test_what_is_abandoned_before_it_comes_is_not_begun() -> None:
    """Calls and their ends come in threads of their own."""
    model = Echo()
    with gathering(model) as calls:
        calls.gatherer.abandon("early")
        assert calls.infer(1.0, key="early").result(30).outcomes == [ipc.Abandoned()]
        assert model.batches == []
        model.may_answer.set()
        assert outputs(calls.infer(2.0)) == [(2.0, 1)]


class Drafting(Model):
    """Works on all but zeros until the result is unwanted; leaves what it has found."""

    uses_drafts = True

    def infer(self, samples: Samples) -> Mapping[str, object]:
        while samples[0] and not self.unwanted():
            time.sleep(0.002)
        raise Unwanted(b"so far")


def test_the_draft_of_what_was_abandoned_comes_back() -> None:
    with gathering(Drafting()) as calls:
        call = calls.infer(1.0, key="alone")
        wait_until(lambda: calls.gatherer._running, "it runs")
        calls.gatherer.abandon("alone")
        assert call.result(30).outcomes == [ipc.Abandoned(b"so far")]


class Fragile(Model):
    """Cannot do with the number 13."""

    max_batch_size = 4

    def infer(self, samples: Samples) -> Mapping[str, object]:
        if samples[0] == 13:
            raise RuntimeError("bad luck")
        return {"first": float(samples[0]), "size": 1}


def test_a_segment_on_which_the_model_raises_fails_alone() -> None:
    with gathering(Fragile(), max_wait_s=0.2) as calls:
        bad, good = calls.infer(13.0), calls.infer(1.0)
        (raised,) = bad.result(30).outcomes
        assert isinstance(raised, ipc.Raised)
        assert raised.reason == "RuntimeError: bad luck"
        assert "test_gathering.py" in raised.where
        assert outputs(good) == [(1.0, 1)]


@pytest.mark.parametrize("count", [1, 4])
def test_the_cost_of_a_batch_is_shared_among_its_callers(count: int) -> None:
    model = Echo()
    model.may_answer.set()
    with gathering(model, max_wait_s=0.3) as calls:
        made = [calls.infer(float(n)) for n in range(count)]
        outcomes = [call.result(30) for call in made]
    assert all(outcome.begun_s <= outcome.ended_s for outcome in outcomes)
    assert all(outcome.peak_memory_bytes > 1_000_000 for outcome in outcomes)
    assert len({outcome.cpu_s for outcome in outcomes}) == 1
