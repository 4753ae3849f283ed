"""Processor time of a server's event loop, by stages. Runs in the server.

A stage is a set of functions. They are wrapped, so that the clock of the loop's thread is read when
one begins and when it ends; the time in between is the stage's, without that of other stages that
are called from it. What is in no stage is the loop itself: waiting for sockets, reading from and
writing to them, and going from one task to the next.

The totals lie in a file that is mapped into memory, so another process can read them at any time.
"""

import functools
import gc
import importlib
import inspect
import mmap
import threading
import time
from collections.abc import Callable, Coroutine, Generator, Mapping
from pathlib import Path
from typing import Any

LOOP, COLLECTION = "the loop itself", "garbage collection"

STAGES: Mapping[str, tuple[str, ...]] = {
    "frames": (
        "streamer.websocket.connection:WebSocketConnection.data_received",
        "streamer.websocket.reading:InputReader._take_turn",
    ),
    "messages": (
        "streamer.session.reader:Reader._take_binary",
        "streamer.session.reader:Reader.run",
    ),
    "deadlines, pauses": (
        "streamer.session.reader:Reader.keep_time",
        "streamer.session.pauses:PauseWatch.run",
    ),
    "executor": ("streamer.session.executor:Executor.run",),
    "decoding, resampling": (
        "streamer.audio.pcm:PcmDecoder.decode",
        "streamer.audio.resample:Track.push",
    ),
    "segmenting": (
        "streamer.pipeline.stream:Stream.feed",
        "streamer.pipeline.speech_channel:SpeechChannel._segment",
        "streamer.pipeline.speech_channel:SpeechChannel.push",
    ),
    "account": (
        "streamer.pipeline.account:SpeechAccount.windows",
        "streamer.pipeline.account:SpeechAccount.settle",
        "streamer.pipeline.account:AccountReport.report",
    ),
    "detector": (
        "streamer.vad.silero:SileroDetector.detect",
        "streamer.vad.silero:SileroVad._run",
    ),
    "results": (
        "streamer.pipeline.results:ChannelResults.run",
        "streamer.pipeline.results:ChannelResults.speech_paused",
        "streamer.pipeline.results:ChannelResults.submit_final",
        "streamer.pipeline.results:ChannelResults.submit_interim",
        "streamer.inference.supervisor:Supervisor.run",
        "streamer.inference.worker_link:WorkerLink.data_received",
    ),
    "sending": (
        "streamer.session.session:Session._write",
        "streamer.websocket.writing:OutputWriter.flush",
    ),
    COLLECTION: (),
}
"""The functions of each stage, as `module:Class.function`."""

NAMES = (LOOP, *STAGES)


class Totals:
    """Processor seconds and number of entries of each stage, in the order of `NAMES`.

    Args:
        file: It is made, unless it exists.
    """

    def __init__(self, file: Path) -> None:
        size = 2 * len(NAMES) * 8
        if not file.exists():
            file.write_bytes(bytes(size))
        with file.open("r+b") as opened:
            values = memoryview(mmap.mmap(opened.fileno(), size)).cast("d")
        self.seconds, self.entries = values[: len(NAMES)], values[len(NAMES) :]

    def read(self) -> dict[str, tuple[float, float]]:
        """Seconds and entries by the name of the stage."""
        return dict(zip(NAMES, zip(self.seconds, self.entries, strict=True), strict=True))


class StageClock:
    """Measures the thread that makes it.

    Args:
        totals: Are added to.
        clock: Processor seconds of the thread that calls it.
    """

    def __init__(self, totals: Totals, clock: Callable[[], float] = time.thread_time) -> None:
        self._totals = totals
        self._clock = clock
        self._stage = NAMES.index(LOOP)
        self._since_s = clock()
        self._thread = threading.get_ident()
        self._collected_from = self._stage

    def enter(self, stage: int) -> int:
        """Count for this stage from now on; returns the stage before."""
        now_s, before = self._clock(), self._stage
        self._totals.seconds[before] += now_s - self._since_s
        self._totals.entries[stage] += 1
        self._since_s, self._stage = now_s, stage
        return before

    def install(self) -> None:
        """Wrap the functions of all stages."""
        for name, places in STAGES.items():
            for place in places:
                owner, function = found(place)
                setattr(owner, function.__name__, self.timed(NAMES.index(name), function))
        gc.callbacks.append(self._on_collection)

    def timed(self, stage: int, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, counted as a part of the stage."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            def begin(*args: object, **named: object) -> "TimedCoroutine":
                return TimedCoroutine(self, stage, function(*args, **named))

            return begin

        @functools.wraps(function)
        def call(*args: object, **named: object) -> object:
            before = self.enter(stage)
            try:
                return function(*args, **named)
            finally:
                self.enter(before)

        return call

    def _on_collection(self, phase: str, _: Mapping[str, int]) -> None:
        if threading.get_ident() != self._thread:
            return
        if phase == "start":
            self._collected_from = self.enter(NAMES.index(COLLECTION))
        else:
            self.enter(self._collected_from)


class TimedCoroutine(Coroutine[Any, Any, Any]):
    """A coroutine whose steps are counted as a part of a stage.

    Args:
        clock: Counts.
        stage: The index of the stage.
        body: The coroutine.
    """

    def __init__(self, clock: StageClock, stage: int, body: Coroutine[Any, Any, Any]) -> None:
        self._clock = clock
        self._stage = stage
        self._body = body

    def send(self, value: object) -> object:
        """Go on to the next step."""
        before = self._clock.enter(self._stage)
        try:
            return self._body.send(value)
        finally:
            self._clock.enter(before)

    def throw(self, *raised: Any) -> object:  # noqa: ANN401
        """Raise where the coroutine waits."""
        before = self._clock.enter(self._stage)
        try:
            return self._body.throw(*raised)
        finally:
            self._clock.enter(before)

    def close(self) -> None:
        """End it where it waits."""
        self._body.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self  # it has what `await` needs of a generator

    def __iter__(self) -> "TimedCoroutine":
        return self

    def __next__(self) -> object:
        return self.send(None)


def found(place: str) -> tuple[type, Callable[..., Any]]:
    """The class and the function that a place of `STAGES` names.

    Raises:
        AttributeError: There is none.
    """
    module, _, name = place.partition(":")
    owner, _, function = name.partition(".")
    holder = getattr(importlib.import_module(module), owner)
    return holder, getattr(holder, function)


def entry_cost_s(count: int = 20_000) -> float:
    """Processor seconds of one `enter` on this machine now."""
    seconds = memoryview(bytearray(16 * len(NAMES))).cast("d")
    totals = Totals.__new__(Totals)
    totals.seconds, totals.entries = seconds[: len(NAMES)], seconds[len(NAMES) :]
    clock = StageClock(totals)
    begun_s = time.thread_time()
    for _ in range(count):
        clock.enter(1)
    return (time.thread_time() - begun_s) / count
