"""How a stream's audio arrives: in real time or not, and how long a gap is usual. Pure.

The readings of the clock are passed in. A client that sends in real time sends as many seconds of
audio as pass, in messages of any size. When it sends nothing for clearly longer than it usually
does between two messages, it has paused: a mute button, a gate, discontinuous transmission.
"""

import math
from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

STEP_S = 0.1
"""Seconds. Messages that arrive within this time are judged together, so that the jitter of a
network, which may deliver several small messages at once, has no effect."""

WINDOW_S = 5.0
"""Seconds of arrivals that are judged; pauses are not counted."""

MIN_STEPS, MAX_STEPS = 3, 64
"""Steps that are judged at least, even if they are longer than the window; and at most."""

MIN_SPAN_S = 0.3
"""Seconds from the first arrival to the last, before which nothing is certain. A recording that is
sent as fast as possible has sent many seconds of audio by then."""

SLOWEST, FASTEST = 0.8, 1.25
"""Seconds of audio in a second, between which a stream comes in real time. Clocks of sound cards
differ by less than a thousandth; the rest is for networks that deliver late, and then at once."""

USUAL_GAPS = 1.5
"""A pause is longer than this number of usual gaps, in addition to the silence that ends a
segment."""


@dataclass(slots=True)
class _Step:
    """Messages that have arrived within `STEP_S`."""

    first_s: float
    """Arrival of the first message."""
    last_s: float
    """Arrival of the last message."""
    audio_s: float
    """Seconds of audio in all messages."""


class AudioPace:
    """The pace of one stream."""

    def __init__(self) -> None:
        self._steps: deque[_Step] = deque(maxlen=MAX_STEPS)
        self._paused_s = 0.0
        """Seconds of pauses, which are not counted."""
        self._after_pause = False
        """Whether the next audio ends a pause."""

    def on_audio(self, audio_s: float, now_s: float) -> None:
        """Audio has arrived.

        Args:
            audio_s: Seconds of audio.
            now_s: The time; not before the last one.
        """
        steps = self._steps
        if self._after_pause:
            # As if the pause had not been: this audio was recorded after it.
            self._after_pause = False
            self._paused_s = now_s - steps[-1].last_s - audio_s
        at_s = now_s - self._paused_s
        if steps and at_s < steps[-1].first_s + STEP_S:
            steps[-1].last_s = at_s
            steps[-1].audio_s += audio_s
            return
        steps.append(_Step(at_s, at_s, audio_s))
        while len(steps) > MIN_STEPS and steps[1].last_s < at_s - WINDOW_S:
            steps.popleft()

    def on_pause(self) -> None:
        """No audio has arrived for `longest_gap_s()` and a silence: this is a pause."""
        self._after_pause = bool(self._steps)

    def longest_gap_s(self) -> float | None:
        """Seconds without audio, after the last arrival, that are no pause.

        None = the audio does not come in real time, or too little has come: no gap is a pause.
        """
        if self._after_pause or len(self._steps) < 2:
            return None
        # Audio arrives after it was recorded: that of a step belongs to the time before its end.
        gaps_s = [step.last_s - before.last_s for before, step in pairwise(self._steps)]
        audio_s = [step.audio_s for step in self._steps][1:]
        if sum(gaps_s) < MIN_SPAN_S or not _in_real_time(gaps_s, audio_s):
            return None
        return USUAL_GAPS * max(gaps_s) + _ahead_s(gaps_s, audio_s)


def _in_real_time(gaps_s: list[float], audio_s: list[float]) -> bool:
    """Whether as much audio came as time passed; in total, or in most steps.

    The total is right when a network delivers late and then all at once. Most steps are right when
    single ones are longer, because a client sends nothing between two words.
    """
    rates = [audio / gap if gap else math.inf for gap, audio in zip(gaps_s, audio_s, strict=True)]
    return any(SLOWEST <= rate <= FASTEST for rate in (sum(audio_s) / sum(gaps_s), median(rates)))


def _ahead_s(gaps_s: list[float], audio_s: list[float]) -> float:
    """Seconds for which audio that arrived would last, if it were played as it arrived."""
    ahead_s = 0.0
    for gap, audio in zip(gaps_s, audio_s, strict=True):
        ahead_s = max(0.0, ahead_s - gap) + audio
    return max(0.0, ahead_s - audio_s[-1])
