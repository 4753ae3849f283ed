"""A channel whose speech is found by a VAD: only speech reaches the model."""

import math
from collections.abc import Callable, Iterable

import numpy as np

from streamer.audio.resample import Samples
from streamer.observe.monitor import Meter
from streamer.pipeline.account import SpeechAccount
from streamer.pipeline.audio_tracks import AudioTracks
from streamer.pipeline.channel import PendingProbabilities
from streamer.pipeline.context import StreamContext
from streamer.pipeline.loudness import LoudWindows
from streamer.pipeline.pending import ResultSettings
from streamer.pipeline.results import ChannelResults
from streamer.pipeline.segment_requests import result_settings
from streamer.pipeline.segmenter_config import settings_of
from streamer.protocol.events import Active, Inactive, SegmentEnd
from streamer.protocol.requests import Start
from streamer.vad.segmenter import Segmenter
from streamer.vad.segmenter_events import (
    InterimDue,
    SegmentDiscarded,
    SegmentEnded,
    SegmenterEvent,
    SpeechDropped,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)

MIN_DETECTION_S = 0.03
"""Seconds of audio for which detection runs, at least: waking a channel costs more than a short
window."""

MAX_DETECTION_DELAY_S = 0.3
"""Seconds of audio after which detection runs, even when no event can follow from it: later there
would be more to do at once, while other streams wait."""


class SpeechChannel:
    """Detects speech, cuts segments, and has them inferred.

    Detector and model may take different sample rates. All times are counted in samples of the
    detector's track; a segment is taken from the model's track at the same times.

    Args:
        context: Of the stream.
        start: The client's request.
        number: Which channel, from 0.
        resampling: Measures that stage.
    """

    def __init__(
        self, context: StreamContext, start: Start, number: int, resampling: Meter
    ) -> None:
        self.results = ChannelResults(context, number, result_settings(start, context.pool))
        self._number = number
        self._resampling = resampling
        engine = context.vad
        self._tracks = AudioTracks(
            start.format.sample_rate, engine.sample_rate, context.sample_rate
        )
        self._vad_track = self._tracks.vad
        self._engine = engine
        self._detector = engine.open()
        self._window = engine.window
        self._min_detection = self._whole_windows(MIN_DETECTION_S)
        self._max_detection_delay = self._whole_windows(MAX_DETECTION_DELAY_S)
        settings = settings_of(start, context.config, engine.sample_rate)
        self._segmenter = Segmenter(
            settings, engine.window, self._vad_track.buffer, self._pause_lead
        )
        self._account = SpeechAccount(
            self.results.account,
            LoudWindows(engine.window, engine.sample_rate),
            self._vad_track.input_samples_before,
        )
        self._begun = 0
        """Where speech of the open segment began."""
        self._paused: SpeechPaused | None = None
        """A pause that this block of audio holds; dropped if speech resumes within the block."""
        self._classified = 0
        """Samples of the detector's track that have been given to the detector."""
        self._over = False
        """Whether the stream ends."""
        self._config = context.config
        self._later: list[tuple[int, ResultSettings]] = []
        """Settings for the segments whose speech begins at a sample of the detector's track, or
        later; in order."""

    @property
    def needed_samples(self) -> int:
        """Samples of the client's until there are windows enough for an event to follow."""
        eventless = self._segmenter.eventless_until - self._classified
        eventless_windows = -(-eventless // self._window) * self._window
        needed = min(max(self._min_detection, eventless_windows), self._max_detection_delay)
        return self._vad_track.input_samples_until(self._classified + needed)

    def push(self, samples: Samples) -> PendingProbabilities | None:
        """Resample, and start detection on the windows that are full."""
        begun_s = self._resampling.clock()
        self._tracks.push(samples)
        media_s = len(samples) / self._vad_track.input_rate
        self._resampling.add(self._resampling.clock() - begun_s, media_s)
        return self._detect()

    async def advance(self, probabilities: PendingProbabilities | None) -> None:
        """Act on the segmenter's events, and on a pause once the block has no more audio."""
        await self._segment(probabilities)
        if self._paused is not None:
            audio, *times = self._tracks.extract(self._paused.start, self._paused.end)
            if self.results.speech_paused(audio, *times):
                self._segmenter.interim_made()
            self._paused = None

    async def flush(self) -> None:
        """End the open segment with the last sample that was received, and begin anew after it.

        What follows is detected as if a stream began here: the detector's windows begin anew, and
        it has no state.
        """
        await self._end_here(self._segmenter.flush)
        await self.results.flushed(self._tracks.seconds(self._vad_track.end))

    async def clear(self) -> None:
        """Discard the open segment, and begin anew as after a flush.

        Audio that was received counts: a segment may end by itself before this.
        """
        await self._end_here(self._segmenter.discard)
        await self.results.cleared(self._tracks.seconds(self._vad_track.end))

    def configure(self, start: Start, settings: ResultSettings) -> float:
        """From the next segment on; the detector's windows go on."""
        rate = self._vad_track.rate
        at = self._segmenter.configure(settings_of(start, self._config, rate))
        if not self._segmenter.in_speech:
            self._later.clear()  # speech begins at `at`, or later
        elif self._later and self._later[-1][0] == at:
            self._later.pop()
        self._later.append((at, settings))
        return self._tracks.seconds(at)

    async def pause(self) -> None:
        """End the open segment as `flush` does, if silence would.

        Without speech there is nothing to do, and nothing of what was received is forgotten.
        """
        if self._segmenter.in_speech:
            await self._end_here(lambda: self._segmenter.flush(flushed=False))

    async def _end_here(self, end: Callable[[], Iterable[SegmenterEvent]]) -> None:
        self._tracks.cut()
        await self._segment(self._detect_rest())
        for event in end():
            await self._handle(event)
        self._discard()
        self._tracks.cut_done()
        self._detector = self._engine.open()

    async def finish(self) -> None:
        """End the open segment; there are no more."""
        self._tracks.finish()
        await self._segment(self._detect_rest())
        self._over = True
        for event in self._segmenter.finish():
            await self._handle(event)
        self._account.settle(self._vad_track.end, over=True)
        await self.results.no_more()

    def release(self) -> None:
        """Release all audio."""
        self._tracks.release()

    def _detect(self) -> PendingProbabilities | None:
        count = (self._tracks.arrived - self._classified) // self._window
        if count <= 0:
            return None
        first = self._classified
        self._classified += count * self._window
        samples = self._vad_track.buffer.view(first, self._classified)
        self._account.windows(samples)
        return self._detector.detect(samples.reshape(count, self._window))

    def _detect_rest(self) -> PendingProbabilities | None:
        """Detect in all that is left; the last window is filled up with silence."""
        first, end = self._classified, self._vad_track.end
        self._classified = end
        if first == end:
            return None
        samples = self._vad_track.buffer.view(first, end)
        self._account.windows(samples)
        windows = np.zeros((-(-len(samples) // self._window), self._window), dtype=np.float32)
        windows.reshape(-1)[: len(samples)] = samples
        return self._detector.detect(windows)

    async def _segment(self, probabilities: PendingProbabilities | None) -> None:
        """Give the probabilities to the segmenter, and act on its events."""
        if probabilities is None:
            return
        for probability in await probabilities:
            for event in self._segmenter.advance(probability):
                await self._handle(event)
        self._discard()

    def _discard(self) -> None:
        """Discard the audio that no segment can begin with any more."""
        kept = min(self._segmenter.keep_from, self._classified)
        self._account.settle(kept)
        self._tracks.discard_before(kept)

    async def _handle(self, event: SegmenterEvent) -> None:
        match event:
            case SpeechStarted(at):
                self._begun = at
                while self._later and self._later[0][0] <= at:
                    self.results.configure(self._later.pop(0)[1])
                self._account.speech_started()
                self.results.segment_started(self._tracks.seconds(at))
                self.results.post(Active(time=self._tracks.seconds(at), channel=self._number))
            case InterimDue(start, end):
                audio, *times = self._tracks.extract(start, end)
                self.results.submit_interim(audio, *times)
            case SpeechPaused():
                self._paused = event
            case SpeechResumed(at):
                self._paused = None
                self.results.speech_resumed(self._tracks.seconds(at))
            case SegmentEnded(at, start, end):
                self._paused = None
                audio, *times = self._tracks.extract(start, end)
                self.results.segment_ending(*times)
                self.results.post(Inactive(time=self._tracks.seconds(at), channel=self._number))
                self._account.segment(self._begun, at, start, end)
                length = self._account.length(start, end)
                submitting = self.results.submit_final(
                    audio, *times, samples=length, ended_by=self._end_of(event)
                )
                del audio  # the pool has it; there may be no room for long
                await submitting
            case SegmentDiscarded(at, start, end):
                self._paused = None
                self.results.segment_discarded()
                self._account.segment(self._begun, at, start, end)
                self.results.account.dropped += self._account.length(start, end)
            case SpeechDropped(start, end):
                self._account.speech_dropped(start, end)

    def _end_of(self, event: SegmentEnded) -> SegmentEnd:
        if event.flushed:
            return "flush"
        if event.cut:
            return "cut"
        return "stop" if self._over else "silence"

    def _pause_lead(self, samples: int) -> int:
        """How many samples before the end of a segment of `samples` a pause is reported."""
        lead_s = self.results.lead_seconds(samples / self._vad_track.rate)
        return math.ceil(lead_s * self._vad_track.rate)

    def _whole_windows(self, seconds: float) -> int:
        """Samples in as many windows as hold that much audio."""
        return self._window * math.ceil(seconds * self._vad_track.rate / self._window)
