"""Where each second of a channel's audio went; the sums close exactly. Pure and clock-free.

Every sample is in one place: in a segment that was transcribed, in one that failed, dropped, or
outside of all these. Counts are in samples at the client's rate.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from streamer.audio.resample import Samples
from streamer.observe.monitor import AccountEntry, Monitor
from streamer.pipeline.loudness import LoudWindows
from streamer.protocol.events import ChannelSeconds

SUMS: tuple[AccountEntry, ...] = (
    *("received", "speech", "transcribed", "failed", "dropped", "loud_unheard"),
)
"""What an account says to clients."""

LEAST_SOUND_S = 0.5
"""Seconds of sound on one channel. With less, no warning says that there was no speech: a click, a
breath."""

LIVE_SOUND_S = 5.0
"""Seconds of sound on one channel after which a client is told before its stream ends. Sound is
counted in blocks of 10 s: for a steady tone the warning comes after 10 s. A person who speaks too
softly has waited for a few sentences by then, and most jingles before speech are shorter."""

REMEDY = (
    "For sounds that are not speech use the WebSocket /api/v1/simple, or vad=false in "
    "/api/v1/analyze. If it is speech, try a lower vad.threshold"
)

Fate = Literal["transcribed", "failed", "dropped"]
"""What becomes of a segment. `dropped`: the model took it for silence."""


@dataclass(slots=True)
class Account:
    """One channel's sums, in samples at the client's rate.

    What is in none of `transcribed`, `failed`, `dropped` and `pending` is outside of speech.

    Attributes:
        received: All of it.
        speech: Between `active` and `inactive`.
        transcribed: In segments that have a result.
        failed: In segments that have an error.
        dropped: In segments that the model took for silence; and speech that was too short.
        loud_unheard: Outside of speech, but louder than the background.
        pending: In segments that have neither result nor error yet.
        audible_s: As `LoudWindows.audible_s`: seconds, whether speech or not. Not one of the sums.
        has_speech: Whether there was an `active`.
    """

    received: int = 0
    speech: int = 0
    transcribed: int = 0
    failed: int = 0
    dropped: int = 0
    loud_unheard: int = 0
    pending: int = 0
    audible_s: float = 0.0
    has_speech: bool = False

    def seconds(self, sample_rate: int, channel: int) -> ChannelSeconds:
        """The sums as clients see them.

        Args:
            sample_rate: The client's, in Hz.
            channel: Number of the channel, from 0.
        """
        sums = {name: getattr(self, name) / sample_rate for name in SUMS}
        return ChannelSeconds(channel=channel, **sums)

    def settle(self, samples: int, fate: Fate) -> None:
        """A segment has its result, or its error."""
        self.pending -= samples
        match fate:
            case "transcribed":
                self.transcribed += samples
            case "failed":
                self.failed += samples
            case "dropped":
                self.dropped += samples


class AccountReport:
    """Reports what is added to the accounts of a stream's channels.

    Args:
        accounts: Of all channels.
        sample_rate: The client's, in Hz.
        monitor: Receives the seconds.
    """

    def __init__(self, accounts: Sequence[Account], sample_rate: int, monitor: Monitor) -> None:
        self._accounts = accounts
        self._sample_rate = sample_rate
        self._monitor = monitor
        self._reported: dict[AccountEntry, int] = dict.fromkeys(SUMS, 0)

    def received(self, frames: int) -> None:
        """Enter what was received on every channel since the last call."""
        for account in self._accounts:
            account.received += frames

    def totals(self) -> dict[AccountEntry, int]:
        """The sums of all channels, in samples."""
        return {entry: sum(getattr(account, entry) for account in self._accounts) for entry in SUMS}

    def report(self) -> None:
        """Report what has been added since the last call."""
        totals = self.totals()
        for entry, samples in totals.items():
            if added := samples - self._reported[entry]:
                self._monitor.accounted(entry, added / self._sample_rate)
        self._reported = totals

    def abandon(self) -> None:
        """The stream was broken off: what is pending will have no result."""
        if pending := sum(account.pending for account in self._accounts):
            self._monitor.accounted("abandoned", pending / self._sample_rate)


Span = tuple[int, int]
"""The first sample, and one past the last, on the detector's track."""


class SpeechAccount:
    """Enters what a VAD finds into an account.

    Args:
        account: Of the channel.
        loud: Judges the channel's audio.
        client_samples: Gets a sample of the detector's track; returns the number of the client's
            samples before it.
    """

    def __init__(
        self, account: Account, loud: LoudWindows, client_samples: Callable[[int], int]
    ) -> None:
        self._account = account
        self._loud = loud
        self._client_samples = client_samples
        self._too_short: list[Span] = []
        """Speech that was too short. The padding of the next segment may still take some of it."""
        self._entered: list[Span] = []
        """Segments and speech that was too short, in order: those that may overlap with audio that
        is not judged yet."""

    def windows(self, samples: Samples) -> None:
        """Take the detector's next windows, float32 [n]."""
        self._loud.push(samples)

    def length(self, start: int, end: int) -> int:
        """The length of a span in the client's samples; those of adjacent spans add up."""
        return self._client_samples(end) - self._client_samples(start)

    def speech_started(self) -> None:
        """Speech has begun; it may go on."""
        self._account.has_speech = True

    def speech_dropped(self, start: int, end: int) -> None:
        """Speech was too short for a segment."""
        self._too_short.append((start, end))

    def segment(self, begun: int, ended: int, start: int, end: int) -> None:
        """Speech from `begun` to `ended` is in the segment [start, end)."""
        self._account.speech += self.length(begun, ended)
        self._drop_before(start)
        self._too_short.clear()
        self._entered.append((start, end))

    def settle(self, until: int, *, over: bool = False) -> None:
        """No later segment has audio from before sample `until`; `over`: there are none."""
        while self._too_short and self._too_short[0][1] <= until:
            self._drop(*self._too_short.pop(0))
        for run in self._loud.judge(until, all_of_it=over):
            self._account.loud_unheard += self._outside(*run)
        self._account.audible_s = self._loud.audible_s
        while self._entered and self._entered[0][1] <= self._loud.judged_until:
            self._entered.pop(0)

    def _drop_before(self, limit: int) -> None:
        for start, end in self._too_short:
            if start < limit:
                self._drop(start, min(end, limit))

    def _drop(self, start: int, end: int) -> None:
        self._account.dropped += self.length(start, end)
        self._entered.append((start, end))

    def _outside(self, first: int, last: int) -> int:
        """The client's samples of a run of windows that are in no span that was entered."""
        outside = self.length(first, last)
        for start, end in self._entered:
            if start < last and first < end:
                outside -= self.length(max(start, first), min(end, last))
        return outside


def no_speech(accounts: Sequence[Account], sample_rate: int) -> str | None:
    """The sentence for a stream that had sound, and no speech. None = there was speech, or silence.

    Args:
        accounts: Of all channels; the stream is over.
        sample_rate: The client's, in Hz.
    """
    sound_s = _sound_without_speech_s(accounts, sample_rate)
    if sound_s < LEAST_SOUND_S:
        return None
    received_s = max(account.received for account in accounts) / sample_rate
    return (
        f"no speech was found in {received_s:.1f} s of audio, {sound_s:.1f} s of which have sound. "
        f"{REMEDY}"
    )


def no_speech_yet(accounts: Sequence[Account], sample_rate: int) -> str | None:
    """The sentence for a stream that goes on. None = there was speech, or too little sound.

    Args:
        accounts: Of all channels.
        sample_rate: The client's, in Hz.
    """
    if _sound_without_speech_s(accounts, sample_rate) < LIVE_SOUND_S:
        return None
    return f"no speech was found so far, in at least {LIVE_SOUND_S:g} s of sound. {REMEDY}"


def _sound_without_speech_s(accounts: Sequence[Account], sample_rate: int) -> float:
    """Of the channel with the most sound, in seconds; 0 when there was speech on any channel."""
    if any(account.has_speech for account in accounts):
        return 0.0
    return max(max(account.loud_unheard / sample_rate, account.audible_s) for account in accounts)
