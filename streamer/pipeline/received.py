"""How much audio a stream has received, and what its channels made of it: reports and the log."""

import logging
from collections.abc import Sequence

from streamer.observe.monitor import AccountEntry, Monitor
from streamer.pipeline.account import Account, AccountReport
from streamer.pipeline.channel import Channel
from streamer.pipeline.context import StreamContext
from streamer.protocol.events import Stopped

_log = logging.getLogger(__name__)


class ReceivedAudio:
    """Counts what arrives on a stream, and reports it once a second of audio.

    Args:
        monitor: Receives the counts.

    Attributes:
        bytes: As they came from the client.
        frames: As many samples of each channel.
    """

    def __init__(self, monitor: Monitor) -> None:
        self.bytes = 0
        self.frames = 0
        self._monitor = monitor
        self._rate = 0
        self._account: AccountReport | None = None
        self._reported_bytes = self._reported_frames = 0

    def opened(self, accounts: Sequence[Account], sample_rate: int) -> None:
        """The format is known; to be called before the first frame is counted.

        Args:
            accounts: Of all channels.
            sample_rate: The client's, in Hz.
        """
        self._rate = sample_rate
        self._account = AccountReport(accounts, sample_rate, self._monitor)

    @property
    def seconds(self) -> float:
        """Of audio, on each channel."""
        return self.seconds_of(self.frames)

    def seconds_of(self, frames: int) -> float:
        """How long as many frames are."""
        return frames / self._rate if frames else 0.0

    @property
    def account_seconds(self) -> dict[AccountEntry, float]:
        """Where the audio of all channels went, in seconds."""
        assert self._account is not None
        return {entry: self.seconds_of(frames) for entry, frames in self._account.totals().items()}

    def report_if_due(self) -> None:
        """Report, if a second of audio has been received since the last report."""
        if self.frames - self._reported_frames >= self._rate:
            self.report()

    def report(self) -> None:
        """Report what has been received since the last report."""
        assert self._account is not None
        frames, size = self.frames - self._reported_frames, self.bytes - self._reported_bytes
        self._monitor.received(size, self.seconds_of(frames))
        self._account.received(frames)
        self._account.report()
        self._reported_frames, self._reported_bytes = self.frames, self.bytes

    def abandon(self) -> None:
        """The stream was broken off: what is pending will have no result."""
        assert self._account is not None
        self._account.abandon()


def log_end(
    context: StreamContext,
    received: ReceivedAudio,
    channels: Sequence[Channel],
    stopped: Stopped | None,
) -> None:
    """Write a stream's totals to the log.

    Args:
        context: Of the stream.
        received: What came from the client.
        channels: What they have sent is in the log, too.
        stopped: None when the stream was broken off.
    """
    totals = [channel.results.totals for channel in channels]
    fields = {
        "route": context.route,
        "dialect": context.dialect,
        "model": context.pool.spec.name,
        "channels": len(channels),
        "audio_seconds": round(received.seconds, 3),
        "audio_bytes": received.bytes,
        "segments": sum(each.segments for each in totals),
        "interims": sum(each.interims for each in totals),
        "failed_segments": sum(each.failures for each in totals),
        "channel_seconds": {
            entry: round(seconds, 3) for entry, seconds in received.account_seconds.items()
        },
    }
    if context.route == "recording":
        del fields["audio_bytes"]  # it came decoded
    what = "stream ended" if stopped else "stream broken off"
    _log.info(what, extra={"fields": fields})
