"""Silero VAD, many channels in one ONNX call.

The network is recurrent: each window of a channel needs the state its last one left. Windows of
different channels do not depend on each other, and one call over 32 of them costs less than half
of 32 calls. So windows are gathered for a few milliseconds, and then taken in rounds, one window
of every waiting channel at a time.

Model: https://github.com/snakers4/silero-vad (MIT), the 16 kHz network: 512-sample windows, each
preceded by the last 64 samples of the one before; LSTM state float32 [2, batch, 128].
"""

import asyncio
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from streamer.monitor import Meter
from streamer.speech.vad import Window

SAMPLE_RATE = 16_000
WINDOW = 512
CONTEXT = 64
STATE = 128
MAX_BATCH = 32
WINDOWS_A_TURN = 32
"""Windows classified before the event loop gets its turn: 2 to 4 ms of work."""

Floats = npt.NDArray[np.float32]


class SileroNetwork:
    """The network alone: pure, synchronous, one window of each channel a call."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # The arena would keep the largest batch's memory for ever, to save nothing measurable.
        options.enable_cpu_mem_arena = False
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self._rate = np.array(SAMPLE_RATE, dtype=np.int64)

    def step(self, windows: Floats, state: Floats) -> tuple[Floats, Floats]:
        """Probabilities [batch] and next state [2, batch, 128].

        Args:
            windows: float32 [batch, 64 + 512], context first.
            state: float32 [2, batch, 128], zeros at the start of a stream.
        """
        probabilities, state = self._session.run(
            None, {"input": windows, "state": state, "sr": self._rate}
        )
        return probabilities[:, 0], state


@dataclass(eq=False)
class _Waiting:
    """Windows of one channel that wait for their turn."""

    detector: "SileroDetector"
    windows: Window
    done: asyncio.Future[list[float]]
    probabilities: list[float] = field(default_factory=list)


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
            # A long block is a batch of its own making: it gains nothing by waiting.
            delay = self._gather_s if len(windows) < MAX_BATCH // 4 else 0
            self._timer = loop.call_later(delay, self._run)
        return waiting.done

    def _run(self) -> None:
        """Classify as many windows as the loop can spare the time for; the rest goes on after."""
        loop = asyncio.get_running_loop()
        begun_s = self._meter.clock()
        classified = 0
        while self._waiting and classified < WINDOWS_A_TURN:
            batch = [self._waiting.popleft() for _ in range(min(MAX_BATCH, len(self._waiting)))]
            batch = [waiting for waiting in batch if not waiting.done.done()]
            classified += len(batch)
            try:
                self._round(batch)
            except Exception as error:  # each waiting channel is told; none may wait for ever
                for waiting in batch:
                    waiting.done.set_exception(error)
                continue
            for waiting in batch:
                if len(waiting.probabilities) == len(waiting.windows):
                    waiting.done.set_result(waiting.probabilities)
                else:
                    self._waiting.append(waiting)
        self._meter.add(self._meter.clock() - begun_s, classified * WINDOW / SAMPLE_RATE)
        self._timer = loop.call_later(0, self._run) if self._waiting else None

    def _round(self, batch: list[_Waiting]) -> None:
        """The next window of each."""
        if not batch:
            return
        inputs = np.empty((len(batch), CONTEXT + WINDOW), dtype=np.float32)
        for row, waiting in zip(inputs, batch, strict=True):
            row[:CONTEXT] = waiting.detector.context
            row[CONTEXT:] = waiting.windows[len(waiting.probabilities)]
        state = np.stack([waiting.detector.state for waiting in batch], axis=1)
        probabilities, state = self._network.step(inputs, state)
        for index, (waiting, probability) in enumerate(
            zip(batch, probabilities.tolist(), strict=True)
        ):
            waiting.probabilities.append(probability)
            # Copies: a view would keep the whole batch alive for as long as the channel lives.
            waiting.detector.state = state[:, index].copy()
            waiting.detector.context = inputs[index, -CONTEXT:].copy()


class SileroDetector:
    """One channel's state: the LSTM's [2, 128] and the last 64 samples."""

    def __init__(self, engine: SileroVad) -> None:
        self._engine = engine
        self.state: Floats = np.zeros((2, STATE), dtype=np.float32)
        self.context: Floats = np.zeros(CONTEXT, dtype=np.float32)

    def detect(self, windows: Window) -> Awaitable[list[float]]:
        """Probabilities of speech of `windows`, float32 [n, 512]."""
        return self._engine.detect(self, windows)
