"""Notices that a client that sends in real time has stopped sending audio.

Two things can look alike: the client sends nothing, or what it sends does not arrive. A ping tells
them apart. The client answers it behind all audio that it has sent before, in the same order, so
with the pong it is certain that no audio is under way. While the network is stalled, or while the
server itself does not read, no pong arrives.

`AudioPace` decides whether a client sends in real time, and how long a gap is usual. It is pure:
the readings of the clock are passed in. A client that sends in real time sends as many seconds of
audio as pass, in messages of any size. When it sends nothing for clearly longer than it usually
does between two messages, it has paused: a mute button, a gate, discontinuous transmission.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from streamer.audio.format import AudioFormat
from streamer.memory import LightEvent

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

RETRY_S = 1.0
"""Seconds until the next check, when a ping could not be sent, or a stream was not judged live."""


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
    """How the audio of one stream arrives: in real time or not, and with which gaps. Pure."""

    def __init__(self) -> None:
        self._steps: list[_Step] = []
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
        del steps[:-MAX_STEPS]
        while len(steps) > MIN_STEPS and steps[1].last_s < at_s - WINDOW_S:
            del steps[0]

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


class PauseWatch:
    """Watches the streams of one socket, one after another.

    Args:
        clock: Monotonic seconds.
        send_ping: Sends a ping whose pong is reported to `on_pong`, in order with the messages
            from the client; returns False if none can be sent now.
        on_pause: Called when a pause is certain.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        send_ping: Callable[[], bool],
        on_pause: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._send_ping = send_ping
        self._on_pause = on_pause
        self._pace: AudioPace | None = None
        """Of the open stream; None = there is none, or it is not watched."""
        self._bytes_per_second = 0
        """0 = only the decoder knows how long the audio is."""
        self._min_silence_s: float | None = None
        self._last_s = 0.0
        """When audio arrived last."""
        self._asked_s: float | None = None
        """When the ping was sent that is not answered; None = there is none, or audio came."""
        self._wakeup = LightEvent()
        """Set when there may be something to watch."""

    def begin(self, fmt: AudioFormat, min_silence_s: float | None) -> None:
        """A stream begins.

        Args:
            fmt: Of its audio.
            min_silence_s: Seconds of silence that end a segment; None = do not watch it.
        """
        self._bytes_per_second = fmt.bytes_per_second
        self._min_silence_s = min_silence_s
        self.begin_again()

    def begin_again(self) -> None:
        """Another stream begins, with the settings of the last one."""
        self._pace = None if self._min_silence_s is None else AudioPace()
        self._asked_s = None

    def configure(self, min_silence_s: float | None) -> None:
        """The settings of the open stream have changed; argument as for `begin`."""
        self._min_silence_s = min_silence_s

    def end(self) -> None:
        """The stream ends."""
        self._pace = None

    def on_audio(self, size: int) -> None:
        """Bytes of audio have arrived."""
        if self._pace is not None:
            self._last_s = self._clock()
            self._asked_s = None
            if self._bytes_per_second:
                self._pace.on_audio(size / self._bytes_per_second, self._last_s)
                self._wakeup.set()

    def on_decoded(self, audio_s: float) -> None:
        """Audio that came in a container has been decoded: seconds of it."""
        if self._pace is not None and not self._bytes_per_second:
            self._pace.on_audio(audio_s, self._clock())
            self._wakeup.set()

    def on_pong(self) -> None:
        """A ping is answered, and everything that the client sent before has arrived."""
        if self._pace is not None and self._asked_s is not None:
            self._asked_s = None
            self._pace.on_pause()
            self._on_pause()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            wait_s = self._check()
            if wait_s is None:
                self._wakeup.clear()
                await self._wakeup.wait()
            else:
                await asyncio.sleep(wait_s)

    def _check(self) -> float | None:
        """Ask if a pause is likely; returns the seconds until the next check.

        None = not before audio arrives.
        """
        if self._pace is None or self._min_silence_s is None or self._asked_s is not None:
            return None
        now_s = self._clock()
        silent_s = self._last_s + self._min_silence_s
        if now_s < silent_s:  # whatever gap is usual; while audio comes, this is all
            return silent_s - now_s
        gap_s = self._pace.longest_gap_s()
        if gap_s is None:
            return RETRY_S if self._last_s > now_s - RETRY_S else None
        left_s = self._last_s + gap_s + self._min_silence_s - now_s
        if left_s > 0:
            return left_s
        if not self._send_ping():
            return RETRY_S
        self._asked_s = now_s
        return None
