"""Speech probabilities in, segments out: where speech begins, ends, and must be cut.

Pure and clock-free. The segmenter gets the probability of speech of one window after another and
returns the events of `segmenter_events.py`. Two thresholds (hysteresis) prevent flickering, as in
the reference implementation of Silero VAD: a window starts speech at `threshold`, and speech
continues down to `threshold - HYSTERESIS`.

        threshold ┄┄┄┄┄┄┄┄┄┄╭──╮┄┄┄╭─────╮┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄
        probability ________│  ╰───╯     ╰__________________
        speech              │←── speech ──→│← min_silence →│
        segment        │←prefix→│               │←suffix→│  final
        events                    active                   inactive, segment
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from streamer.vad.forced_cut import SampleSource, quietest_place
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


@dataclass(slots=True)
class _Speech:
    """A run of speech, confirmed (a segment) or not yet (a candidate)."""

    first: int
    """First sample of its first speech window."""
    last: int
    """One past the last sample of its last speech window."""
    voiced: int
    """Samples in speech windows."""
    start: int = 0
    """First sample of the segment, padding included; set when confirmed."""
    confirmed: bool = False
    paused: bool = False
    """Whether `SpeechPaused` was emitted."""
    next_interim: int = 0


class Segmenter:
    """One channel's segmentation.

    Args:
        settings: Thresholds and durations.
        window: Samples in a window of the VAD.
        samples: The channel's audio; it must hold everything from `keep_from` on.
        lead: Gets the length of a segment; returns how many samples before the segment's end
            `SpeechPaused` is emitted (never before the suffix padding is over). None = right after
            the padding. A returned 0 = not at all while the stream continues.
    """

    def __init__(
        self,
        settings: SegmenterSettings,
        window: int,
        samples: SampleSource,
        lead: Callable[[int], int] | None = None,
    ) -> None:
        self._settings = settings
        self._lead = lead
        self._window = window
        self._samples = samples
        self._position = 0
        self._floor = 0
        self._speech: _Speech | None = None
        self._resume_until = 0
        self._later: list[tuple[int, SegmenterSettings]] = []
        """Settings for the speech that begins at a sample, or later; in order."""

    @property
    def keep_from(self) -> int:
        """The first sample that may still be needed."""
        if self._speech is None and self._position < self._resume_until:
            return self._floor
        if self._speech is None:
            return max(self._floor, self._position - self._settings.prefix_padding)
        if self._speech.confirmed:
            return self._speech.start
        return max(self._floor, self._speech.first - self._settings.prefix_padding)

    @property
    def eventless_until(self) -> int:
        """Until this sample is classified, `advance` emits no event, whatever the probabilities.

        So audio before it can wait; `SpeechDropped` does not count, because no client waits for it.
        After `SpeechPaused` this is the next window, because speech may resume. Only `SpeechPaused`
        may be due sooner, if `lead` returns more by then.
        """
        settings, speech = self._settings, self._speech
        if speech is None or not speech.confirmed:
            if self._position < self._resume_until:
                return self._position
            voiced = 0 if speech is None else speech.voiced
            # If what is open is dropped, the speech after it may have to be shorter.
            later = [new.min_speech for _, new in self._later]
            return self._position + min([settings.min_speech - voiced, *later])
        if speech.paused:
            return self._position
        pause = min(self._pause(speech), settings.min_silence)
        until = min(speech.last + pause, speech.start + settings.max_segment)
        return until if settings.interim_interval is None else min(until, speech.next_interim)

    def advance(self, probability: float) -> Iterator[SegmenterEvent]:
        """Classify the next window. The iterator must be exhausted before the next call.

        The window before `flush` or `finish` may hold fewer samples than the others.
        """
        first = self._position
        self._position = min(first + self._window, self._samples.end)
        speech = self._speech
        in_gap = speech is not None and speech.last < first
        continues = speech is not None and not in_gap
        settings = self._settings
        if probability >= (settings.exit_threshold if continues else settings.threshold):
            yield from self._on_speech(first)
        elif speech is not None:
            yield from self._on_silence(speech)
        # Before the interim: it is useless for a segment that ends here.
        yield from self._watch_length()
        if self._settings.interim_interval is not None:
            yield from self._watch_growth(self._settings.interim_interval)

    def configure(self, settings: SegmenterSettings) -> int:
        """Change the settings for the speech that begins with the next window, or later.

        What is open, a segment or what may become one, keeps the settings that it began with.

        Returns:
            The first sample of the next window.
        """
        if self._later and self._later[-1][0] == self._position:
            self._later.pop()
        self._later.append((self._position, settings))
        if self._speech is None:
            self._set_closed(self._position)
        return self._position

    def interim_made(self) -> None:
        """A pause has brought an interim: the next one is due as if it had been asked for here."""
        interval, speech = self._settings.interim_interval, self._speech
        if interval is not None and speech is not None and speech.confirmed:
            self._postpone_interim(speech, interval)

    @property
    def in_speech(self) -> bool:
        """Whether a segment is open, or what may become one."""
        return self._speech is not None

    def flush(self, *, flushed: bool = True) -> Iterator[SegmenterEvent]:
        """End what is open with the last sample, and begin anew after it.

        Every sample must have been classified. Speech that is not confirmed yet is dropped, as at
        the end of the stream. No later segment has a sample from before, and the next window begins
        here.

        Args:
            flushed: Whether the client has asked for it.
        """
        yield from self._end_all(flushed=flushed)
        self._begin_anew()

    def discard(self) -> Iterator[SegmenterEvent]:
        """Discard what is open, and begin anew after it, as `flush` does."""
        speech = self._speech
        if speech is not None and speech.confirmed:
            self._set_closed(self._position)
            yield SegmentDiscarded(speech.last, speech.start, self._position)
        else:
            yield from self._end_all(flushed=False)
        self._begin_anew()

    def finish(self) -> Iterator[SegmenterEvent]:
        """End the stream: what is open ends with the last sample."""
        yield from self._end_all(flushed=False)

    def _on_speech(self, first: int) -> Iterator[SegmenterEvent]:
        if self._speech is None:
            self._speech = _Speech(first=first, last=first, voiced=0)
        speech = self._speech
        speech.voiced += self._position - first
        speech.last = self._position
        if speech.paused:
            speech.paused = False
            yield SpeechResumed(first)
        resumed = speech.first < self._resume_until
        if not speech.confirmed and (resumed or speech.voiced >= self._settings.min_speech):
            padded = self._floor if resumed else speech.first - self._settings.prefix_padding
            self._confirm(speech, max(padded, self._floor))
            yield SpeechStarted(speech.first)

    def _on_silence(self, speech: _Speech) -> Iterator[SegmenterEvent]:
        silence = self._position - speech.last
        if not speech.confirmed:
            # No longer than `min_silence`, or a segment could begin with a pause that ends one.
            if silence >= min(self._settings.min_speech, self._settings.min_silence):
                self._set_closed(self._position)
                yield SpeechDropped(speech.first, speech.last)
        elif silence >= self._settings.min_silence:
            yield self._end(speech, at=speech.last, end=self._padded_end(speech))
        elif not speech.paused and silence >= self._pause(speech):
            speech.paused = True
            yield SpeechPaused(speech.start, self._padded_end(speech))

    def _watch_length(self) -> Iterator[SegmenterEvent]:
        # More than once only when speech was confirmed late, after many short pauses.
        while self._speech is not None and self._speech.confirmed:
            limit = self._speech.start + self._settings.max_segment
            if self._position < limit:
                return
            yield from self._cut(self._speech, self._quietest(self._speech, limit))

    def _cut(self, speech: _Speech, cut: int) -> Iterator[SegmenterEvent]:
        if cut >= speech.last:
            # The quietest point is in a pause that may turn out to be the end of speech. If it
            # does not, what follows must join on without a missing sample, unless the pause
            # alone would then fill a segment.
            yield self._end(speech, at=speech.last, end=self._padded_end(speech))
            silence_ends = speech.last + self._settings.min_silence
            self._resume_until = min(silence_ends, self._floor + self._settings.earliest_cut)
            return
        yield self._end(speech, at=cut, end=cut, cut=True)
        self._speech = _Speech(first=cut, last=speech.last, voiced=speech.last - cut)
        self._confirm(self._speech, cut)
        yield SpeechStarted(cut)

    def _watch_growth(self, interval: int) -> Iterator[SegmenterEvent]:
        speech = self._speech
        if speech is None or not speech.confirmed:
            return
        if speech.last == self._position >= speech.next_interim:
            yield InterimDue(speech.start, self._position)
            self._postpone_interim(speech, interval)

    def _postpone_interim(self, speech: _Speech, interval: int) -> None:
        growth = int(self._settings.interim_growth * (self._position - speech.start))
        speech.next_interim = self._position + max(interval, growth)

    def _confirm(self, speech: _Speech, start: int) -> None:
        speech.confirmed = True
        speech.start = start
        self._resume_until = 0
        if self._settings.interim_interval is not None:
            speech.next_interim = start + self._settings.interim_interval

    def _begin_anew(self) -> None:
        self._floor = self._position
        self._resume_until = 0

    def _set_closed(self, at: int) -> None:
        """Nothing is open: change to the settings for speech that begins at a sample."""
        if not self._later:
            self._speech = None
            return
        if self._speech is None or not self._speech.confirmed:
            # A longer prefix would reach for samples that are not held any more.
            self._floor = self.keep_from
        self._speech = None
        while self._later and self._later[0][0] <= at:
            _, self._settings = self._later.pop(0)

    def _end_all(self, *, flushed: bool) -> Iterator[SegmenterEvent]:
        speech = self._speech
        if speech is None:
            return
        if not speech.confirmed:
            self._set_closed(self._position)
            yield SpeechDropped(speech.first, speech.last)
            return
        end = self._position
        if end - speech.last < self._window:
            # Less than a window of silence may be speech of which the window held too little.
            yield self._end(speech, end, end, flushed=flushed)
        else:
            yield self._end(speech, speech.last, self._padded_end(speech), flushed=flushed)

    def _end(
        self, speech: _Speech, at: int, end: int, *, flushed: bool = False, cut: bool = False
    ) -> SegmentEnded:
        self._floor = end
        self._set_closed(end if cut else self._position)
        return SegmentEnded(at, speech.start, end, flushed, cut)

    def _pause(self, speech: _Speech) -> int:
        """Samples of silence after which `SpeechPaused` is emitted."""
        padding = self._settings.suffix_padding
        if self._lead is None:
            return padding
        lead = self._lead(speech.last + padding - speech.start)
        longest_pause = -(-self._settings.min_silence // self._window) * self._window
        return max(padding, longest_pause - lead - self._window + 1)

    def _padded_end(self, speech: _Speech) -> int:
        longest = speech.start + self._settings.max_segment
        return min(speech.last + self._settings.suffix_padding, self._position, longest)

    def _quietest(self, speech: _Speech, limit: int) -> int:
        earliest = speech.start + self._settings.earliest_cut
        return quietest_place(self._samples, earliest, limit, self._settings.sample_rate)
