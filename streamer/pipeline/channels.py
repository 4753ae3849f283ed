"""One channel of a stream: samples in; speech found, segments cut, results delivered.

Two kinds: `SpeechChannel` for `/api/v1/segmented`, `ChunkChannel` for `/api/v1/simple`.
"""

import math
from collections.abc import Awaitable, Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from streamer.audio.track import Track
from streamer.inference.job import Audio
from streamer.observe.monitor import Meter
from streamer.pipeline.results import Delivery
from streamer.protocol.messages import Active, Event, Inactive
from streamer.vad.engine import Detector
from streamer.vad.segmenter import (
    InterimDue,
    SegmentEnded,
    Segmenter,
    SegmenterEvent,
    SegmenterSettings,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)

WORTH_A_TURN_S = 0.03
"""Detection is run on so much audio at least: waking a channel costs more than a short window."""

LONGEST_TURN_S = 0.3
"""It is not put off for longer than that, even when nothing can come of it: others wait while it
is made up for."""

WORTH_RESAMPLING_S = 0.1
"""A chunk can be long; its audio is not left lying until it is full, but resampled on the way."""

Samples = npt.NDArray[np.float32]
Probabilities = Awaitable[list[float]]


class Channel(Protocol):
    """What a stream does with each of its channels.

    A block of audio is processed in two steps, so that the detectors of all channels can work on
    it together: `push` to all of them first, then `advance` each.
    """

    delivery: Delivery

    @property
    def missing(self) -> int:
        """Samples at the client's rate before which there is nothing to do."""

    def push(self, samples: Samples) -> Probabilities | None:
        """Take float32 [n] at the client's rate; what it returns goes to `advance`."""

    async def advance(self, probabilities: Probabilities | None) -> None:
        """Act on what `push` found."""

    async def flush(self) -> None:
        """End the open segment now."""

    async def finish(self) -> None:
        """The audio is over: end what is open. All results are then owed to `delivery`."""

    def release(self) -> None:
        """Let go of all audio; nothing may be asked of the channel afterwards."""


class SpeechChannel:
    """Speech is found by a detector; only speech reaches the model.

    The detector and the model may want different sample rates. Everything is counted on the
    detector's clock, and a segment is taken from the model's track at the same times.

    Args:
        number: Which channel, from 0.
        heard: The audio at the detector's rate.
        wanted: The audio at the model's rate; the same track when the rates are.
        detector: Finds speech.
        window: Samples in one of the detector's windows.
        settings: Of the segmenter.
        delivery: Takes segments to the model and brings back results.
        post: Sends an event.
        meter: Of resampling.
    """

    def __init__(
        self,
        number: int,
        *,
        heard: Track,
        wanted: Track,
        detector: Detector,
        window: int,
        settings: SegmenterSettings,
        delivery: Delivery,
        post: Callable[[Event], None],
        meter: Meter,
    ) -> None:
        self.delivery = delivery
        self._number = number
        self._heard = heard
        self._wanted = wanted
        self._tracks = {heard, wanted}
        self._detector = detector
        self._window = window
        self._turn = window * math.ceil(WORTH_A_TURN_S * heard.rate / window)
        self._longest_turn = window * math.ceil(LONGEST_TURN_S * heard.rate / window)
        self._segmenter = Segmenter(settings, window, heard.buffer, self._lead)
        self._paused: SpeechPaused | None = None
        """By the audio that is being processed, unless the rest of it goes on."""
        self._classified = 0
        self._post = post
        self._meter = meter

    @property
    def missing(self) -> int:
        """Samples of the client's until so many windows are full that something may follow."""
        ahead = self._segmenter.eventless_until - self._classified
        windows = -(-ahead // self._window) * self._window
        turn = min(max(self._turn, windows), self._longest_turn)
        return self._heard.missing(self._classified + turn)

    def push(self, samples: Samples) -> Probabilities | None:
        """Resample, and start detection on the windows that are full."""
        begun_s = self._meter.clock()
        for track in self._tracks:
            track.push(samples)
        self._meter.add(self._meter.clock() - begun_s, len(samples) / self._heard.input_rate)
        return self._detect()

    async def advance(self, probabilities: Probabilities | None) -> None:
        """Tell the segmenter, and act on what it says."""
        await self._hear(probabilities)
        if self._paused is not None:
            audio, *times = self._segment(self._paused.start, self._paused.end)
            self.delivery.pause(audio, *times)
            self._paused = None

    async def _hear(self, probabilities: Probabilities | None) -> None:
        if probabilities is None:
            return
        for probability in await probabilities:
            for event in self._segmenter.advance(probability):
                await self._handle(event)
        kept = min(self._segmenter.keep_from, self._classified)
        self._heard.buffer.discard_before(kept)
        self._wanted.buffer.discard_before(self._to_wanted(kept))

    async def flush(self) -> None:
        """End the open segment with the last sample that was sent."""
        for track in self._tracks:
            track.cut()
        await self._hear(self._detect())
        for event in self._segmenter.flush():
            await self._handle(event)

    async def finish(self) -> None:
        """End the open segment; the last window is filled up with silence."""
        for track in self._tracks:
            track.finish()
        await self._hear(self._detect())
        rest = self._heard.end - self._classified
        if rest:
            window = np.zeros((1, self._window), dtype=np.float32)
            window[0, :rest] = self._heard.buffer.view(self._classified, self._heard.end)
            await self._hear(self._detector.detect(window))
        for event in self._segmenter.finish():
            await self._handle(event)
        await self.delivery.end()

    def release(self) -> None:
        """Let go of all audio."""
        for track in self._tracks:
            track.release()

    def _detect(self) -> Probabilities | None:
        # One resampler may lag behind the other; a segment must not end where audio is missing.
        arrived = min(self._heard.end, self._wanted.end * self._heard.rate // self._wanted.rate)
        count = (arrived - self._classified) // self._window
        if count <= 0:
            return None
        first = self._classified
        self._classified += count * self._window
        windows = self._heard.buffer.view(first, self._classified).reshape(count, self._window)
        return self._detector.detect(windows)

    async def _handle(self, event: SegmenterEvent) -> None:
        match event:
            case SpeechStarted(at):
                self.delivery.begin()
                self._post(Active(time=self._seconds(at), channel=self._number))
            case InterimDue(start, end):
                audio, *times = self._segment(start, end)
                self.delivery.interim(audio, *times)
            case SpeechPaused():
                self._paused = event
            case SpeechResumed():
                self._paused = None
                self.delivery.resume()
            case SegmentEnded(at, start, end, flushed):
                self._paused = None
                self.delivery.drop_interims()
                self._post(Inactive(time=self._seconds(at), channel=self._number))
                await self.delivery.final(*self._segment(start, end), flushed=flushed)

    def _lead(self, samples: int) -> int:
        return math.ceil(self.delivery.lead_seconds(samples / self._heard.rate) * self._heard.rate)

    def _segment(self, start: int, end: int) -> tuple[Audio, float, float]:
        audio = self._wanted.buffer.pieces(self._to_wanted(start), self._to_wanted(end))
        return audio, self._seconds(start), self._seconds(end)

    def _seconds(self, at: int) -> float:
        return at / self._heard.rate

    def _to_wanted(self, at: int) -> int:
        return min(round(at * self._wanted.rate / self._heard.rate), self._wanted.end)


class ChunkChannel:
    """Every sample reaches the model, in equal chunks; the last one may be shorter.

    Args:
        track: The audio at the model's rate.
        chunk: Samples in a chunk.
        delivery: Takes chunks to the model and brings back results.
        meter: Of resampling.
    """

    def __init__(self, track: Track, chunk: int, delivery: Delivery, meter: Meter) -> None:
        self.delivery = delivery
        self._meter = meter
        self._track = track
        self._chunk = chunk

    @property
    def missing(self) -> int:
        """Samples of the client's until the chunk is full, or are worth resampling."""
        missing = self._track.missing(self._track.buffer.start + self._chunk)
        return min(missing, int(WORTH_RESAMPLING_S * self._track.input_rate))

    def push(self, samples: Samples) -> Probabilities | None:
        """Resample; there is nothing to detect."""
        begun_s = self._meter.clock()
        self._track.push(samples)
        self._meter.add(self._meter.clock() - begun_s, len(samples) / self._track.input_rate)
        return None

    async def advance(self, probabilities: Probabilities | None) -> None:
        """Infer the chunks that are full."""
        while len(self._track.buffer) >= self._chunk:
            await self._infer(self._track.buffer.start + self._chunk)

    async def flush(self) -> None:
        """End the chunk that is being filled."""
        self._track.cut()
        await self._rest(flushed=True)

    async def finish(self) -> None:
        """Infer what is left."""
        self._track.finish()
        await self._rest()
        await self.delivery.end()

    def release(self) -> None:
        """Let go of all audio."""
        self._track.release()

    async def _rest(self, *, flushed: bool = False) -> None:
        await self.advance(None)
        if len(self._track.buffer):
            await self._infer(self._track.end, flushed=flushed)

    async def _infer(self, end: int, *, flushed: bool = False) -> None:
        buffer, rate = self._track.buffer, self._track.rate
        start = buffer.start
        chunk = self.delivery.final(
            buffer.pieces(start, end), start / rate, end / rate, flushed=flushed
        )
        buffer.discard_before(end)
        await chunk
