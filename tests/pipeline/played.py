"""A whole stream, played to the end, with only the networks replaced.

The detector hears loudness, and the pool answers with a hash of the samples it was given. All
between is real: decoder, resamplers, segmenter, channels, delivery.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Literal, NamedTuple, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.audio.format import AudioFormat
from streamer.audio.pcm import PcmDecoder
from streamer.audio.resample import Resampler
from streamer.config.models import InferenceConfig
from streamer.config.schema import Config
from streamer.config.segmentation import SimpleConfig, VadConfig
from streamer.inference.job import (
    Counters,
    InferenceFailed,
    Inferred,
    JobKind,
    PendingInference,
    SegmentAudio,
)
from streamer.inference.pool import WorkerPool
from streamer.inference.submission import Demotion
from streamer.model import SegmentRequest
from streamer.models.registry import ModelSpec
from streamer.observe.monitor import AccountEntry, Monitor
from streamer.observe.tracer import StreamTrace
from streamer.pipeline.account import Fate
from streamer.pipeline.context import Segmentation, StreamContext
from streamer.pipeline.outbox import Outbox
from streamer.pipeline.stream import Stream
from streamer.protocol.actions import AudioReached, Cleared, Close, Outgoing, Reply
from streamer.protocol.events import (
    Active,
    Configured,
    ErrorEvent,
    Event,
    Flushed,
    Inactive,
    Interim,
    Segment,
    Stopped,
)
from streamer.protocol.requests import Configure, Start, VadOptions
from streamer.vad.engine import VadEngine

Samples = NDArray[np.float32]


class Loudness:
    """A detector with state: the probability is the loudness of this window and the last."""

    def __init__(self) -> None:
        self.windows: list[Samples] = []
        self._last = 0.0

    async def detect(self, windows: Samples) -> list[float]:
        await asyncio.sleep(0)
        found = []
        for window in windows:
            self.windows.append(window.copy())
            level = float(np.abs(window).mean())
            found.append(min(1.0, 4 * (level + self._last / 4)))
            self._last = level
        return found


class LoudnessEngine:
    """Opens detectors; their windows are as long as Silero's, or as WebRTC's."""

    name, sample_rate = "loudness", 16_000

    def __init__(self, window: Literal[320, 512]) -> None:
        self.window = window
        self.opened: list[Loudness] = []

    def open(self) -> Loudness:
        self.opened.append(Loudness())
        return self.opened[-1]


class Submitted:
    """A job whose result is there already, or comes later."""

    def __init__(self, outcome: Inferred | InferenceFailed, *, begun: bool) -> None:
        self.outcome = outcome
        self.begun = begun
        """Whether a worker has begun it; if not, the answer comes as late all the same."""
        self.result: PendingInference = asyncio.get_running_loop().create_future()

    def settle(self) -> None:
        if self.result.done():
            return
        if isinstance(self.outcome, InferenceFailed):
            self.result.set_exception(self.outcome)
        else:
            self.result.set_result(self.outcome)

    def confirm(self) -> bool:
        return False

    def withdraw(self) -> bool:
        self.result.cancel()
        return False

    def withdraw_waiting(self) -> bool:
        return not self.begun and self.result.cancel()

    def demote(self) -> Demotion:
        return "begun" if self.begun or self.result.done() else "waits"


class Pool:
    """Answers at once, or after so many pieces of audio, and keeps what it was given."""

    spec = ModelSpec(type="fake", name="fake")
    stateful = False
    returns_words, uses_key_terms, uses_drafts = False, True, False

    def __init__(self, slowness: int, fate: Callable[[str], Fate], *, begins: bool) -> None:
        self.slowness = slowness
        self.begins = begins
        self.fate = fate
        self.late: list[tuple[int, Submitted]] = []
        """Results that come with a piece of this number."""
        self.played = 0
        self.given: dict[str, Samples] = {}
        self.counters = Counters()
        self.begun_early = 0
        self.lead_s = 10.0
        self.queue = self

    def submit(
        self, audio: SegmentAudio, kind: JobKind, *, request: SegmentRequest, **_of: object
    ) -> Submitted:
        self.begun_early += kind == "early"
        samples = np.concatenate([*audio, np.empty(0, np.float32)])
        key = hashlib.sha256(samples.tobytes()).hexdigest()
        self.given[key] = samples
        fate = self.fate(key)
        inferred = Inferred(
            {"key": key, "count": len(samples), "terms": request.key_terms},
            None,
            0.0,
            dropped=fate == "dropped",
        )
        outcome = InferenceFailed(key) if fate == "failed" else inferred
        submitted = Submitted(outcome, begun=self.begins)
        self.late.append((self.played + self.slowness, submitted))
        self.settle()
        return submitted

    def settle(self) -> None:
        """Settle what is due."""
        for due, submitted in self.late:
            if due <= self.played:
                submitted.settle()
        self.late = [each for each in self.late if each[0] > self.played]

    def lead_seconds(self, _media_s: float) -> float:
        return self.lead_s


class Outcome(NamedTuple):
    """A channel's events of both kinds; how the kinds interleave depends on time, not on audio."""

    vad: list[Active | Inactive]
    finals: list[Segment]
    failed: list[ErrorEvent]
    flushed: list[Flushed]
    cleared: list[Cleared]
    all: list[Event | Cleared]


class BrokenOff(Exception):
    """The client is gone, in the middle of a stream."""


class Heard(NamedTuple):
    channels: list[Outcome]
    stopped: Stopped
    given: dict[str, Samples]
    """What the model heard, by its hash."""
    windows: list[list[Samples]]
    """What each detector heard: those of the channels, and then those that flushes opened."""
    moments: list[tuple[int, Active | Inactive]]
    """After how many of the pieces each of these came."""
    turns: int
    """How often the stream was given something."""
    begun_early: int
    """Segments that were begun before they had ended."""
    accounted: Counter[AccountEntry]
    """What the monitor was told of the seconds of all channels."""
    configured: list[Configured]


VAD = VadOptions(
    threshold=0.3, min_silence_ms=90, min_speech_ms=40, prefix_padding_ms=45, max_segment_ms=1_000
)
CONFIG = Config(
    vad=VadConfig(suffix_padding_ms=35),
    simple=SimpleConfig(chunk_seconds=0.11),
    inference=InferenceConfig(max_pending_segments=1_000),  # a late result holds nothing back
)


Piece = bytes | None | Configure | Literal["clear"]
"""Audio, a flush, other settings, or that what is open is discarded."""


def hear(
    fmt: AudioFormat,
    pieces: Sequence[Piece],
    *,
    segmentation: Segmentation = "speech",
    rate: int = 16_000,
    interims: bool = False,
    eager: bool = False,
    vad_options: VadOptions | None = None,
    begins: bool = True,
    patient: Literal["no", "alone", "in company"] = "no",
    lead_s: float = 10.0,
    window: Literal[320, 512] = 512,
    engine: VadEngine | None = None,
    slowness: int = 0,
    fate: Callable[[str], Fate] = lambda _key: "transcribed",
    broken_off: bool = False,
) -> Heard:
    """Play `pieces`, where None is a flush, to a stream; and to another, what configures it.

    Either each as it comes, or, as the inbox does, together as soon as they are what is wanted, or
    as soon as they would come along with others.
    """

    pool, vad, events = (
        Pool(slowness, fate, begins=begins),
        LoudnessEngine(window),
        list[Event | Cleared](),
    )
    moments: list[tuple[int, Active | Inactive]] = []
    pool.lead_s = lead_s
    played = turns = 0

    class Listener(Outbox):
        def post(self, item: Outgoing) -> None:
            assert not isinstance(item, Close | Reply | AudioReached)
            events.append(item)
            if isinstance(item, Active | Inactive):
                moments.append((played, item))

    class Accountant(Monitor):
        def accounted(self, entry: AccountEntry, media_s: float) -> None:
            accounted[entry] += media_s  # type: ignore[assignment]

    accounted: Counter[AccountEntry] = Counter()
    monitor = Accountant()

    async def play() -> Stopped:
        nonlocal played, turns
        context = StreamContext(
            session_id="id",
            route="segmented",
            segmentation=segmentation,
            config=CONFIG,
            vad=engine or cast("VadEngine", vad),
            monitor=monitor,
            pool=cast("WorkerPool", pool),
            sample_rate=rate,
            outbox=Listener(Monitor()),
            trace=StreamTrace("0" * 32),
        )
        start = Start(format=fmt, vad=vad_options or VAD, interim_results=interims, eager=eager)
        async with asyncio.TaskGroup() as tasks:
            stream = Stream(context, start, tasks)
            waiting = b""
            for piece in pieces:
                played += 1
                pool.played = played
                pool.settle()
                await asyncio.sleep(0)
                waiting += piece if isinstance(piece, bytes) else b""
                least = stream.needed_bytes
                if patient == "in company":
                    least = stream.joinable_bytes(least) or least
                acts = not isinstance(piece, bytes)
                if patient == "no" or acts or len(waiting) >= least:
                    turns += 1
                    await stream.feed(waiting, 0)
                    waiting = b""
                if piece is None:
                    await stream.flush(0)
                elif piece == "clear":
                    await stream.clear(0)
                elif isinstance(piece, Configure):
                    start = piece.over(start)
                    context.outbox.post(stream.configure(start, context.pool))
            await stream.feed(waiting, 0)
            if broken_off:
                stream.close(None)
                raise BrokenOff
            pool.played += slowness
            pool.settle()
            pool.slowness = 0
            stopped = await stream.finish(0)
            stream.close(stopped)
            return stopped

    stopped = Stopped(audio_seconds=0, segments=0, session_id="", seconds=[])
    try:
        stopped = asyncio.run(play())
    except* BrokenOff:
        assert broken_off
    channels = [outcome(events, n) for n in range(fmt.channels)]
    windows = [detector.windows for detector in vad.opened]
    configured = [event for event in events if isinstance(event, Configured)]
    return Heard(
        channels,
        stopped,
        pool.given,
        windows,
        moments,
        turns,
        pool.begun_early,
        accounted,
        configured,
    )


def outcome(events: list[Event | Cleared], channel: int) -> Outcome:
    own = [event for event in events if getattr(event, "channel", None) == channel]
    return Outcome(
        [event for event in own if isinstance(event, Active | Inactive)],
        [event for event in own if isinstance(event, Segment)],
        [event for event in own if isinstance(event, ErrorEvent)],
        [event for event in own if isinstance(event, Flushed)],
        [event for event in own if isinstance(event, Cleared)],
        own,
    )


def same(one: Heard, other: Heard) -> None:
    assert list(map(_lists, one.channels)) == list(map(_lists, other.channels))
    assert one.stopped == other.stopped
    assert one.configured == other.configured


def _lists(channel: Outcome) -> tuple[object, ...]:
    return channel.vad, channel.finals, channel.failed, channel.flushed, channel.cleared


FORMATS = {
    "telephone": AudioFormat(sample_rate=8_000, bit_depth=8, encoding="mulaw"),
    "s16": AudioFormat(sample_rate=16_000),
    "studio": AudioFormat(sample_rate=44_100, channels=2, bit_depth=24),
    "browser": AudioFormat(sample_rate=48_000, bit_depth=32, is_float=True),
    "odd": AudioFormat(sample_rate=11_025, channels=3, bit_depth=64, is_float=True),
}
every_format = pytest.mark.parametrize("name", FORMATS)
every_rate = pytest.mark.parametrize("rate", [16_000, 8_000, 44_100])
every_kind = pytest.mark.parametrize("segmentation", ["speech", "chunks", "whole"])


@cache
def audio(fmt: AudioFormat, seconds: float) -> bytes:
    """Bursts of noise, at other times on each channel; the second one is longest."""
    count = int(seconds * fmt.sample_rate)
    time = np.arange(count) / fmt.sample_rate
    rng = np.random.default_rng(11)
    frames = rng.uniform(-0.5, 0.5, (count, fmt.channels))
    for channel in range(fmt.channels):
        shift = 0.07 * channel
        speech = np.zeros(count, bool)
        for first, last in [(0.1, 0.28), (0.42, 2.6), (2.75, 2.9), (3.1, 4.0)]:
            speech |= (first + shift <= time) & (time < last + shift)
        frames[~speech, channel] *= 0.01
    return encode(frames.reshape(-1), fmt)


def encode(samples: NDArray[np.float64], fmt: AudioFormat) -> bytes:
    if fmt.encoding == "mulaw":
        magnitude = np.log1p(255 * np.abs(samples)) / np.log(256)
        code = np.minimum(magnitude * 128, 127).astype(np.uint8)
        code = np.where(samples < 0, code | 0x80, code).astype(np.uint8)
        return bytes(~code)
    if fmt.is_float:
        return samples.astype(f"<f{fmt.bit_depth // 8}").tobytes()
    values = np.round(samples * 2.0 ** (fmt.bit_depth - 1)).astype("<i4")
    if fmt.bit_depth == 24:
        return values.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    return values.astype(f"<i{fmt.bit_depth // 8}").tobytes()


def burst(fmt: AudioFormat, first: float, last: float) -> bytes:
    """Mono: silence, then noise from `first` to `last` seconds."""
    samples = np.random.default_rng(2).uniform(-0.5, 0.5, round(last * fmt.sample_rate))
    samples[: round(first * fmt.sample_rate)] = 0
    return encode(samples, fmt)


def cut(data: bytes, places: list[int]) -> list[bytes | None]:
    edges = [0, *sorted(places), len(data)]
    return [data[first:last] for first, last in pairwise(edges)]


def track(fmt: AudioFormat, data: bytes, channel: int, rate: int) -> Samples:
    """The whole of a channel at `rate`, resampled at once."""
    resampler = Resampler(fmt.sample_rate, rate)
    row = PcmDecoder(fmt).decode(data)[channel]
    return np.concatenate([resampler.push(row), resampler.finish()])


def check_order(events: list[Event | Cleared], *, without_vad: bool = False) -> None:
    """Active, inactive, segment, and its span holds both times; no event is late for a flush."""
    begun, ended = list[float](), list[float]()
    last_end = 0.0
    flushed_s = 0.0
    for event in events:
        match event:
            case Active(time=time):
                assert len(begun) == len(ended)
                assert time >= flushed_s
                begun.append(time)
            case Flushed(time=time):
                assert not begun
                assert not ended
                assert last_end <= time
                flushed_s = last_end = time
            case Cleared(time=time):
                # A segment that was open is discarded.
                assert not ended
                assert len(begun) <= 1
                begun.clear()
                assert last_end <= time
                flushed_s = last_end = time
            case Inactive(time=time):
                assert len(begun) == len(ended) + 1
                ended.append(time)
            case Interim():
                assert len(begun) == len(ended) + 1, "an interim outside speech"
            case Segment() | ErrorEvent():
                assert event.start_time is not None
                assert event.end_time is not None
                assert last_end <= event.start_time
                if not without_vad:
                    assert event.start_time <= begun.pop(0)
                    assert ended.pop(0) <= event.end_time
                last_end = event.end_time
    assert not begun
    assert not ended
