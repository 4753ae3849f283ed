"""A channel whose speech is found by a VAD: only speech reaches the model."""

import math
from collections.abc import Callable, Iterable

import numpy as np

from streamer.audio.resample import Samples, Track
from streamer.config.schema import Config
from streamer.config.segmentation import InterimConfig, VadConfig
from streamer.inference.job import SegmentAudio
from streamer.observe.monitor import Meter
from streamer.pipeline.account import SpeechAccount
from streamer.pipeline.channel import PendingProbabilities
from streamer.pipeline.context import StreamContext
from streamer.pipeline.loudness import LoudWindows
from streamer.pipeline.pending import ResultSettings
from streamer.pipeline.results import ChannelResults
from streamer.pipeline.segment_requests import result_settings
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
from streamer.vad.segmenter_settings import SegmenterSettings

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
        engine, input_rate = context.vad, start.format.sample_rate
        self._model_track = Track(input_rate, context.sample_rate)
        same_rate = engine.sample_rate == context.sample_rate
        self._vad_track = self._model_track if same_rate else Track(input_rate, engine.sample_rate)
        self._tracks = {self._vad_track, self._model_track}
        self._engine = engine
        self._detector = engine.open()
        self._window = engine.window
        self._min_detection = self._whole_windows(MIN_DETECTION_S)
        self._max_detection_delay = self._whole_windows(MAX_DETECTION_DELAY_S)
        settings = _settings_of(start, context.config, engine.sample_rate)
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
        self._cut = (0, 0)
        """The last flush, in samples of the detector's track and of the model's."""
        self._config = context.config
        self._later: list[tuple[int, ResultSettings]] = []
        """Settings for the segments whose speech begins at a sample of the detector's track, or
        later; in order."""
        self._complete = True
        """Whether both tracks hold all that was received, up to the same moment."""

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
        self._complete = False
        for track in self._tracks:
            track.push(samples)
        media_s = len(samples) / self._vad_track.input_rate
        self._resampling.add(self._resampling.clock() - begun_s, media_s)
        return self._detect()

    async def advance(self, probabilities: PendingProbabilities | None) -> None:
        """Act on the segmenter's events, and on a pause once the block has no more audio."""
        await self._segment(probabilities)
        if self._paused is not None:
            audio, *times = self._extract(self._paused.start, self._paused.end)
            if self.results.speech_paused(audio, *times):
                self._segmenter.interim_made()
            self._paused = None

    async def flush(self) -> None:
        """End the open segment with the last sample that was received, and begin anew after it.

        What follows is detected as if a stream began here: the detector's windows begin anew, and
        it has no state.
        """
        await self._end_here(self._segmenter.flush)
        await self.results.flushed(self._seconds(self._vad_track.end))

    async def clear(self) -> None:
        """Discard the open segment, and begin anew as after a flush.

        Audio that was received counts: a segment may end by itself before this.
        """
        await self._end_here(self._segmenter.discard)
        await self.results.cleared(self._seconds(self._vad_track.end))

    def configure(self, start: Start, settings: ResultSettings) -> float:
        """From the next segment on; the detector's windows go on."""
        rate = self._vad_track.rate
        at = self._segmenter.configure(_settings_of(start, self._config, rate))
        if not self._segmenter.in_speech:
            self._later.clear()  # speech begins at `at`, or later
        elif self._later and self._later[-1][0] == at:
            self._later.pop()
        self._later.append((at, settings))
        return self._seconds(at)

    async def pause(self) -> None:
        """End the open segment as `flush` does, if silence would.

        Without speech there is nothing to do, and nothing of what was received is forgotten.
        """
        if self._segmenter.in_speech:
            await self._end_here(lambda: self._segmenter.flush(flushed=False))

    async def _end_here(self, end: Callable[[], Iterable[SegmenterEvent]]) -> None:
        for track in self._tracks:
            track.cut()
        await self._segment(self._detect_rest())
        for event in end():
            await self._handle(event)
        self._discard()
        self._cut = (self._vad_track.end, self._model_track.end)
        self._detector = self._engine.open()

    async def finish(self) -> None:
        """End the open segment; there are no more."""
        for track in self._tracks:
            track.finish()
        await self._segment(self._detect_rest())
        self._over = True
        for event in self._segmenter.finish():
            await self._handle(event)
        self._account.settle(self._vad_track.end, over=True)
        await self.results.no_more()

    def release(self) -> None:
        """Release all audio."""
        for track in self._tracks:
            track.release()

    def _detect(self) -> PendingProbabilities | None:
        # One resampler may lag behind the other; a segment must not end where audio is missing.
        vad, model = self._vad_track, self._model_track
        arrived = min(vad.end, model.end * vad.rate // model.rate)
        count = (arrived - self._classified) // self._window
        if count <= 0:
            return None
        first = self._classified
        self._classified += count * self._window
        samples = vad.buffer.view(first, self._classified)
        self._account.windows(samples)
        return self._detector.detect(samples.reshape(count, self._window))

    def _detect_rest(self) -> PendingProbabilities | None:
        """Detect in all that is left; the last window is filled up with silence."""
        first, end = self._classified, self._vad_track.end
        self._classified, self._complete = end, True
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
        self._vad_track.buffer.discard_before(kept)
        self._model_track.buffer.discard_before(self._on_model_track(kept))

    async def _handle(self, event: SegmenterEvent) -> None:
        match event:
            case SpeechStarted(at):
                self._begun = at
                while self._later and self._later[0][0] <= at:
                    self.results.configure(self._later.pop(0)[1])
                self._account.speech_started()
                self.results.segment_started(self._seconds(at))
                self.results.post(Active(time=self._seconds(at), channel=self._number))
            case InterimDue(start, end):
                audio, *times = self._extract(start, end)
                self.results.submit_interim(audio, *times)
            case SpeechPaused():
                self._paused = event
            case SpeechResumed(at):
                self._paused = None
                self.results.speech_resumed(self._seconds(at))
            case SegmentEnded(at, start, end):
                self._paused = None
                audio, *times = self._extract(start, end)
                self.results.segment_ending(*times)
                self.results.post(Inactive(time=self._seconds(at), channel=self._number))
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

    def _extract(self, start: int, end: int) -> tuple[SegmentAudio, float, float]:
        """The model's audio of a segment, and its start and end in seconds."""
        first, last = self._on_model_track(start), self._on_model_track(end)
        audio = self._model_track.buffer.pieces(first, last)
        return audio, self._seconds(start), self._seconds(end)

    def _whole_windows(self, seconds: float) -> int:
        """Samples in as many windows as hold that much audio."""
        return self._window * math.ceil(seconds * self._vad_track.rate / self._window)

    def _seconds(self, at: int) -> float:
        return at / self._vad_track.rate

    def _on_model_track(self, at: int) -> int:
        vad, model = self._vad_track, self._model_track
        if self._complete and at == vad.end:
            return model.end
        cut, model_cut = self._cut
        if at == cut:
            return model_cut
        return min(max(round(at * model.rate / vad.rate), model_cut), model.end)


def _settings_of(start: Start, config: Config, sample_rate: int) -> SegmenterSettings:
    interim = config.interim if start.interim_results else None
    return segmenter_settings(start.vad.over(config.vad), interim, sample_rate)


def segmenter_settings(
    vad: VadConfig, interim: InterimConfig | None, sample_rate: int
) -> SegmenterSettings:
    """The segmenter's settings in samples.

    Args:
        vad: Thresholds, and durations in milliseconds.
        interim: None for no interims.
        sample_rate: The detector's, in Hz.
    """

    def samples(milliseconds: int) -> int:
        return milliseconds * sample_rate // 1000

    return SegmenterSettings(
        threshold=vad.threshold,
        min_silence=samples(vad.min_silence_ms),
        min_speech=samples(vad.min_speech_ms),
        prefix_padding=samples(vad.prefix_padding_ms),
        suffix_padding=samples(min(vad.suffix_padding_ms, vad.min_silence_ms)),
        max_segment=samples(vad.max_segment_ms),
        sample_rate=sample_rate,
        interim_interval=samples(interim.interval_ms) if interim else None,
        interim_growth=interim.growth if interim else 0.0,
    )
