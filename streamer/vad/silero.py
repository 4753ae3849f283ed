"""Silero VAD, the windows of many channels together.

One call of the network over many windows costs a quarter of as many calls. So the windows of all
channels are gathered for a few milliseconds, and waiting streams are invited to add theirs
(`streamer.vad.batching`). The network is recurrent only in its middle. The layers before and after
run once over all windows. The recurrent part runs in rounds, one window of every channel at a time,
because each window needs the state after the channel's previous one.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from streamer.observe.monitor import Meter
from streamer.onnx.graph import Floats
from streamer.vad.batching import BatchInvitations
from streamer.vad.engine import DetectionFailed, WindowArray
from streamer.vad.gain import InputGain
from streamer.vad.silero_network import (
    CONTEXT,
    SAMPLE_RATE,
    STATE,
    WINDOW,
    SileroNetwork,
)

_log = logging.getLogger(__name__)

MAX_BATCH = 128
"""Windows in one call, which keeps the event loop busy for three milliseconds."""

MIN_INVITING = 4
"""Windows. A channel that hands over this number or more has waited: other waiting streams are
invited to its batch."""

LONG_BLOCK = 16
"""Windows. This number or more come from a recording or a backlog: they start a batch at once, and
no other stream is invited to it."""


@dataclass(eq=False)
class _Waiting:
    """Windows of one channel, of which the next call takes as many as fit."""

    detector: "SileroDetector"
    windows: WindowArray
    done: asyncio.Future[list[float]]
    probabilities: list[float] = field(default_factory=list)

    @property
    def rest(self) -> WindowArray:
        """The windows that have not been classified."""
        return self.windows[len(self.probabilities) :]


_Entry = tuple[_Waiting, WindowArray]
"""A channel, and its windows in the batch."""


class SileroVad:
    """The Silero engine: gathers windows across channels and runs them together.

    Args:
        path: The ONNX file.
        gather_s: Seconds for which a batch stays open after its first window.
        meter: Adds up the processing time of the windows.
    """

    name = "silero"
    window = WINDOW
    sample_rate = SAMPLE_RATE

    def __init__(self, path: Path, gather_s: float, meter: Meter) -> None:
        self._network = SileroNetwork(path)
        self._meter = meter
        self._gather_s = gather_s
        self._waiting: deque[_Waiting] = deque()
        self.invitations = BatchInvitations()
        self._invited = False
        """Whether others were already invited to the pending batch."""
        self._timer: asyncio.TimerHandle | None = None

    def open(self) -> "SileroDetector":
        """A detector with fresh state for one channel."""
        return SileroDetector(self)

    def detect(self, detector: "SileroDetector", windows: WindowArray) -> Awaitable[list[float]]:
        """Probabilities of one channel's next windows, computed in a batch with other channels'.

        Args:
            detector: The channel's state.
            windows: float32 [n, 512], with the channel's gain applied.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(detector, windows, loop.create_future())
        if not len(windows):
            waiting.done.set_result([])
            return waiting.done
        self._waiting.append(waiting)
        if self._timer is None:
            delay = self._gather_s if len(windows) < LONG_BLOCK else 0
            self._timer = loop.call_later(delay, self._run)
        if not self._invited and MIN_INVITING <= len(windows) < LONG_BLOCK:
            self._invited = True
            self.invitations.invite_oldest()
        return waiting.done

    def _run(self) -> None:
        """Classify one batch; windows left over are the next batch, after other callbacks.

        A timer calls this, so no task awaits it. Whatever is raised here is given to the channels
        of the batch, and the next batch is always on its way: one detector serves them all.
        """
        self._invited = False
        batch: list[_Entry] = []
        try:
            batch = self._next_batch()
            self._classify_batch(batch)
        except Exception as error:
            _log.exception("a batch of windows could not be classified, or not be counted")
            for waiting, _ in batch:
                if waiting not in self._waiting:
                    _fail(waiting, error)
        finally:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(0, self._run) if self._waiting else None

    def _classify_batch(self, batch: list[_Entry]) -> None:
        """Settle the channels whose windows are all classified; the others wait again."""
        begun_s = self._meter.clock()
        try:
            self._classify(batch)
        except Exception:  # a defect in one channel's windows must not affect the others
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

    def _next_batch(self) -> list[_Entry]:
        """The channels that have waited longest, with their windows; the most windows first."""
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
        except Exception as error:
            _fail(entry[0], error)

    def _classify(self, batch: list[_Entry]) -> None:
        """Compute the probabilities of all entries, or of none when it raises."""
        if not batch:
            return
        counts = [len(windows) for _, windows in batch]
        firsts = np.cumsum([0, *counts[:-1]], dtype=np.intp)
        gates = self._network.encode(_with_context(batch, sum(counts)))
        state = np.stack([waiting.detector.state for waiting, _ in batch], axis=1)
        hidden = np.empty((len(gates), STATE), dtype=np.float32)
        for turn in range(counts[0]):
            # The longest come first, so the channels that have a window left are at the front.
            left = sum(count > turn for count in counts)
            rows = firsts[:left] + turn
            self._network.step(gates[rows], state[:, :left])
            hidden[rows] = state[0, :left]
        probabilities = self._network.probabilities(hidden).tolist()
        for index, (waiting, windows) in enumerate(batch):
            first = firsts[index]
            waiting.probabilities += probabilities[first : first + len(windows)]
            # Copies: a view would keep the whole batch in memory as long as the channel lives.
            waiting.detector.state = state[:, index].copy()
            waiting.detector.context = windows[-1, -CONTEXT:].copy()


def _fail(waiting: _Waiting, cause: Exception) -> None:
    """Raise where the result is awaited, unless there is one."""
    if not waiting.done.done():
        error = DetectionFailed(f"{type(cause).__name__}: {cause}")
        error.__cause__ = cause
        waiting.done.set_exception(error)


def _with_context(batch: list[_Entry], count: int) -> Floats:
    """All windows with their context, float32 [count, 64 + 512]."""
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
    """One channel's state: the LSTM's [2, 128], the last 64 samples, and the gain."""

    def __init__(self, engine: SileroVad) -> None:
        self._engine = engine
        self.state: Floats = SileroNetwork.start()[:, 0]
        self.context: Floats = np.zeros(CONTEXT, dtype=np.float32)
        self._gain = InputGain()

    def detect(self, windows: WindowArray) -> Awaitable[list[float]]:
        """Probabilities of speech of `windows`, float32 [n, 512].

        Raises:
            DetectionFailed: The shape is another; the detector's state is as it was.
        """
        if windows.shape[1:] != (WINDOW,):
            raise DetectionFailed(f"windows of shape {windows.shape}; allowed: (n, {WINDOW})")
        return self._engine.detect(self, self._gain.apply(windows))
