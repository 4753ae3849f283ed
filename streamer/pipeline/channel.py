"""One channel of a stream: samples in; segments cut, results sent. The interface of all kinds."""

from collections.abc import Awaitable
from typing import Protocol

from streamer.audio.resample import Samples
from streamer.pipeline.pending import ResultSettings
from streamer.pipeline.results import ChannelResults
from streamer.protocol.requests import Start

PendingProbabilities = Awaitable[list[float]]
"""Of speech, one for each window, in order."""


class Channel(Protocol):
    """What a stream does with each of its channels.

    A block of audio is processed in two steps, so that the detectors of all channels can work on
    it together: `push` on every channel first, then `advance` on each.
    """

    results: ChannelResults

    @property
    def needed_samples(self) -> int:
        """Samples at the client's rate before which the channel has nothing to do."""

    def push(self, samples: Samples) -> PendingProbabilities | None:
        """Take float32 [n] at the client's rate; what this returns goes to `advance`."""

    async def advance(self, probabilities: PendingProbabilities | None) -> None:
        """Act on the audio that was pushed."""

    async def flush(self) -> None:
        """End the open segment now; no later one has audio from before.

        `flushed` follows the results of all audio so far, and comes before any event of later
        audio.
        """

    async def clear(self) -> None:
        """Discard the open segment, as `flush` ends it; `Cleared` is the answer."""

    def configure(self, start: Start, settings: ResultSettings) -> float:
        """Change the settings of segments that begin later.

        Args:
            start: The settings of the stream from now on.
            settings: What segments are inferred with.

        Returns:
            The time from which on segments begin with them, in seconds from the start of the
            stream: of their speech, or, without a VAD, of their audio.
        """

    async def pause(self) -> None:
        """The audio has paused: end the open segment, if silence would."""

    async def finish(self) -> None:
        """The audio is over: end the open segment, and call `no_more` on `results`."""

    def release(self) -> None:
        """Release all audio; the channel cannot be used afterwards."""
