"""The calls of one server or of several, answered by one model in batches.

The model runs in the thread of `run`. Callers wait in threads of their own.
"""

import contextlib
import faulthandler
import resource
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from streamer.inference import ipc
from streamer.inference.batch_inference import infer_batch, max_batch_size
from streamer.inference.drafts import abandoned
from streamer.model import Model, Unwanted

NO_SAMPLES = np.empty(0, dtype=np.float32)

MAX_EARLY = 1_000
"""Calls that may be abandoned before they come: each comes at once, or never."""


@dataclass(eq=False, slots=True)
class _Call:
    """A batch of one caller."""

    key: str
    items: list[ipc.BatchItem]
    samples: bytes
    due_s: float
    unwanted: bool = False
    outcome: ipc.BatchOutcome | None = None
    answered: threading.Event = field(default_factory=threading.Event)

    @property
    def interim(self) -> bool:
        """Whether nothing in it is final."""
        return all(item.request.interim for item in self.items)


class Gatherer:
    """Gathers calls to batches.

    Args:
        model: Is loaded and warm.
        max_wait_s: How long a call waits for others to join it.
        timeout_s: After an inference of this duration, the process is ended.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        model: Model,
        max_wait_s: float,
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._max_size = max_batch_size(model)
        self._max_wait_s = max_wait_s
        self._timeout_s = timeout_s
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: list[_Call] = []
        self._running: list[_Call] = []
        self._early: deque[str] = deque(maxlen=MAX_EARLY)
        """Keys that were abandoned when no such call was here."""
        model.unwanted = self._all_unwanted

    def infer(self, key: str, items: list[ipc.BatchItem], samples: bytes) -> ipc.BatchOutcome:
        """Wait for the outcome of a batch.

        Args:
            key: Names the call, for `abandon`.
            items: Its segments.
            samples: float32, those of all segments, one after another.
        """
        call = _Call(key, items, samples, self._clock() + self._max_wait_s)
        with self._changed:
            call.unwanted = key in self._early
            self._waiting.append(call)
            self._changed.notify_all()
        call.answered.wait()
        assert call.outcome is not None
        return call.outcome

    def abandon(self, key: str) -> None:
        """The results of a call are not needed any more.

        This may overtake the call: both come in threads of their own.
        """
        with self._changed:
            found = [call for call in (*self._waiting, *self._running) if call.key == key]
            for call in found:
                call.unwanted = True
            if not found:
                self._early.append(key)

    def run(self) -> None:
        """Answer calls for ever."""
        while True:
            self.answer_next()

    def answer_next(self) -> None:
        """Wait for a call, and for others to join it; answer them."""
        calls = self._next_calls()
        items = [item for call in calls for item in call.items]
        batch = ipc.Batch(items, b"".join(call.samples for call in calls))
        begun_s, cpu_s = self._clock(), time.process_time()
        split = None
        outcomes: list[ipc.ItemOutcome]
        try:
            with _ended_after(self._timeout_s):
                if self._all_unwanted():
                    raise Unwanted
                outcomes, split = infer_batch(self._model, batch, NO_SAMPLES)
        except Unwanted as stopped:
            outcomes = abandoned(stopped, len(items))
        ended_s, cpu_s = self._clock(), time.process_time() - cpu_s
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        self._running = []
        rest = iter(outcomes)
        for call in calls:
            own = [next(rest) for _ in call.items]
            share_s = cpu_s * len(own) / len(items) if items else cpu_s
            call.outcome = ipc.BatchOutcome(own, begun_s, ended_s, share_s, memory, split)
            call.answered.set()

    def _next_calls(self) -> list[_Call]:
        """Wait for the next batch. Each call waits or runs at every moment that `abandon` sees."""
        with self._changed:
            while True:
                calls = self._fitting()
                due_s = min((call.due_s for call in self._waiting), default=None)
                full = sum(len(call.items) for call in calls) >= self._max_size
                if calls and due_s is not None and (full or self._clock() >= due_s):
                    self._waiting = [call for call in self._waiting if call not in calls]
                    self._running = calls
                    return calls
                self._changed.wait(None if due_s is None else max(0.0, due_s - self._clock()))

    def _fitting(self) -> list[_Call]:
        """The calls that wait, finals before interims, as many as fit into a batch."""
        calls: list[_Call] = []
        room = self._max_size
        for call in sorted(self._waiting, key=lambda call: call.interim):
            if not calls or len(call.items) <= room:
                calls.append(call)
                room -= len(call.items)
        return calls

    def _all_unwanted(self) -> bool:
        return all(call.unwanted for call in self._running)


@contextlib.contextmanager
def _ended_after(seconds: float) -> Iterator[None]:
    """End the process if this takes longer, also when native code does not return."""
    faulthandler.dump_traceback_later(seconds, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
