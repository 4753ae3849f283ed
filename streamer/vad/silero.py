"""Silero VAD, the windows of many channels together.

One call of the network over many windows costs a quarter of as many calls. So windows are
gathered for a few milliseconds, whoever's they are, and streams that have rested are called to
bring theirs (`streamer.speech.company`). The network is recurrent only in its middle: what comes
before and after is found for all windows together, and in between they are taken in rounds, one of
every channel at a time, because each needs the state that the channel's last one left.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from streamer.observe.monitor import Meter
from streamer.vad.batching import Company
from streamer.vad.engine import Window
from streamer.vad.silero_network import (
    CONTEXT,
    SAMPLE_RATE,
    STATE,
    WINDOW,
    Floats,
    SileroNetwork,
)

_log = logging.getLogger(__name__)

MAX_BATCH = 128
"""Windows classified together, before the event loop gets its turn: three milliseconds of work."""

BRINGS_OTHERS = 4
"""A channel with so many windows has rested, and others that rest are called to come along."""

LONG_BLOCK = 16
"""So many are of a recording or of a backlog: they begin no wait, and others are not called."""


@dataclass(eq=False)
class _Waiting:
    """Windows of one channel that wait for their turn."""

    detector: "SileroDetector"
    windows: Window
    done: asyncio.Future[list[float]]
    probabilities: list[float] = field(default_factory=list)

    @property
    def rest(self) -> Window:
        """Those that have not been classified."""
        return self.windows[len(self.probabilities) :]


_Entry = tuple[_Waiting, Window]
"""A channel, and those of its windows whose turn it is."""


class SileroVad:
    """The Silero engine: gathers windows across channels and runs them together.

    Args:
        path: The ONNX file.
        gather_s: How long the first waiting window waits for company, in seconds.
        meter: Told what the windows cost.
    """

    name = "silero"
    window = WINDOW
    sample_rate = SAMPLE_RATE

    def __init__(self, path: Path, gather_s: float, meter: Meter) -> None:
        self._network = SileroNetwork(path)
        self._meter = meter
        self._gather_s = gather_s
        self._waiting: deque[_Waiting] = deque()
        self.company = Company()
        self._called = False
        """Whether company was, since the last call of the network."""
        self._timer: asyncio.TimerHandle | None = None

    def open(self) -> "SileroDetector":
        """A detector with fresh state for one channel."""
        return SileroDetector(self)

    def detect(self, detector: "SileroDetector", windows: Window) -> Awaitable[list[float]]:
        """Probabilities of one channel's next windows, computed with those of the others."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(detector, windows, loop.create_future())
        if not len(windows):
            waiting.done.set_result([])
            return waiting.done
        self._waiting.append(waiting)
        if self._timer is None:
            delay = self._gather_s if len(windows) < LONG_BLOCK else 0
            self._timer = loop.call_later(delay, self._run)
        if not self._called and BRINGS_OTHERS <= len(windows) < LONG_BLOCK:
            self._called = True
            self.company.call()
        return waiting.done

    def _run(self) -> None:
        """Classify as many windows as the loop can spare the time for; the rest goes on after."""
        begun_s = self._meter.clock()
        self._called = False
        batch = self._next_batch()
        try:
            self._classify(batch)
        except Exception:  # a defect in one channel's windows must not reach the others
            _log.warning("windows were classified one channel after another", exc_info=True)
            for entry in batch:
                self._classify_alone(entry)
        for waiting, _ in batch:
            if waiting.done.done():
                continue
            if len(waiting.rest):
                self._waiting.append(waiting)
            else:
                waiting.done.set_result(waiting.probabilities)
        classified = sum(len(windows) for _, windows in batch)
        self._meter.add(self._meter.clock() - begun_s, classified * WINDOW / SAMPLE_RATE)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(0, self._run) if self._waiting else None

    def _next_batch(self) -> list[_Entry]:
        """Whose turn it is, and with which windows: those who waited longest, the most first."""
        batch: list[_Entry] = []
        room = MAX_BATCH
        while self._waiting and room:
            waiting = self._waiting.popleft()
            if not waiting.done.done():
                windows = waiting.rest[:room]
                batch.append((waiting, windows))
                room -= len(windows)
        return sorted(batch, key=lambda entry: len(entry[1]), reverse=True)

    def _classify_alone(self, entry: _Entry) -> None:
        try:
            self._classify([entry])
        except Exception as error:  # whoever waits for it is told
            entry[0].done.set_exception(error)

    def _classify(self, batch: list[_Entry]) -> None:
        """Find the probabilities; of all, or of none when it fails."""
        if not batch:
            return
        counts = [len(windows) for _, windows in batch]
        firsts = np.cumsum([0, *counts[:-1]], dtype=np.intp)
        gates = self._network.encode(_with_context(batch, sum(counts)))
        state = np.stack([waiting.detector.state for waiting, _ in batch], axis=1)
        hidden = np.empty((len(gates), STATE), dtype=np.float32)
        for turn in range(counts[0]):
            # The longest come first, so those that have a window left are at the front.
            left = sum(count > turn for count in counts)
            rows = firsts[:left] + turn
            self._network.step(gates[rows], state[:, :left])
            hidden[rows] = state[0, :left]
        probabilities = self._network.probabilities(hidden).tolist()
        for index, (waiting, windows) in enumerate(batch):
            first = firsts[index]
            waiting.probabilities += probabilities[first : first + len(windows)]
            # Copies: a view would keep the whole batch alive for as long as the channel lives.
            waiting.detector.state = state[:, index].copy()
            waiting.detector.context = windows[-1, -CONTEXT:].copy()


def _with_context(batch: list[_Entry], count: int) -> Floats:
    """All windows as the network wants them, float32 [count, 64 + 512]."""
    inputs = np.empty((count, CONTEXT + WINDOW), dtype=np.float32)
    at = 0
    for waiting, windows in batch:
        rows = inputs[at : at + len(windows)]
        rows[:, CONTEXT:] = windows
        rows[0, :CONTEXT] = waiting.detector.context
        if len(windows) > 1:
            rows[1:, :CONTEXT] = windows[:-1, -CONTEXT:]
        at += len(windows)
    return inputs


class SileroDetector:
    """One channel's state: the LSTM's [2, 128] and the last 64 samples."""

    def __init__(self, engine: SileroVad) -> None:
        self._engine = engine
        self.state: Floats = SileroNetwork.start()[:, 0]
        self.context: Floats = np.zeros(CONTEXT, dtype=np.float32)

    def detect(self, windows: Window) -> Awaitable[list[float]]:
        """Probabilities of speech of `windows`, float32 [n, 512]."""
        return self._engine.detect(self, windows)
