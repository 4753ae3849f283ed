"""Channels without a VAD: every sample reaches the model, as a whole or in equal chunks."""

from streamer.audio.resample import Samples, Track
from streamer.observe.monitor import Meter
from streamer.pipeline.channel import PendingProbabilities
from streamer.pipeline.context import StreamContext
from streamer.pipeline.pending import ResultSettings
from streamer.pipeline.results import ChannelResults
from streamer.pipeline.segment_requests import result_settings
from streamer.protocol.events import SegmentEnd
from streamer.protocol.requests import Start

RESAMPLE_AFTER_S = 0.1
"""Seconds of audio after which it is resampled, although a long segment is not full yet: at its end
there would be much to do at once."""


class WholeChannel:
    """Everything is one segment, which ends with the stream; a flush ends one and begins another.

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
        self._track = Track(start.format.sample_rate, context.sample_rate)
        """The audio of the open segment, at the model's rate."""
        self._resampling = resampling
        self._later: ResultSettings | None = None
        """Settings of the segments after the open one."""

    @property
    def needed_samples(self) -> int:
        """Samples of the client's until they are resampled."""
        return int(RESAMPLE_AFTER_S * self._track.input_rate)

    def push(self, samples: Samples) -> PendingProbabilities | None:
        """Resample; there is nothing to detect."""
        begun_s = self._resampling.clock()
        self._track.push(samples)
        media_s = len(samples) / self._track.input_rate
        self._resampling.add(self._resampling.clock() - begun_s, media_s)
        return None

    async def advance(self, probabilities: PendingProbabilities | None) -> None:
        """Nothing ends a segment but `flush` and `finish`."""

    async def flush(self) -> None:
        """End the open segment with the last sample that was received."""
        self._track.cut()
        await self._end_open("flush")
        await self.results.flushed(self._track.end / self._track.rate)

    async def clear(self) -> None:
        """Discard the audio of the open segment."""
        self._track.cut()
        await self.advance(None)
        buffer = self._track.buffer
        before = self._track.input_samples_before
        self.results.account.dropped += before(buffer.end) - before(buffer.start)
        buffer.discard_before(buffer.end)
        self._begin_segment()
        await self.results.cleared(self._track.end / self._track.rate)

    def configure(self, start: Start, settings: ResultSettings) -> float:
        """From the next segment on; there are no settings of detection."""
        self._later = settings
        if not len(self._track.buffer):
            self._begin_segment()
        return self._track.end / self._track.rate

    async def pause(self) -> None:
        """Silence ends no segment."""

    async def finish(self) -> None:
        """End the open segment; there are no more."""
        self._track.finish()
        await self._end_open("stop")
        await self.results.no_more()

    def release(self) -> None:
        """Release all audio."""
        self._track.release()

    async def _end_open(self, ended_by: SegmentEnd) -> None:
        await self.advance(None)
        if len(self._track.buffer):
            await self._end_segment(self._track.end, ended_by)

    def _begin_segment(self) -> None:
        """The next sample begins a segment."""
        if self._later is not None:
            self.results.configure(self._later)
            self._later = None

    async def _end_segment(self, end: int, ended_by: SegmentEnd) -> None:
        """Submit the audio up to sample `end` of the track."""
        buffer, rate = self._track.buffer, self._track.rate
        start = buffer.start
        before = self._track.input_samples_before
        submitting = self.results.submit_final(
            buffer.pieces(start, end),
            start / rate,
            end / rate,
            samples=before(end) - before(start),
            ended_by=ended_by,
        )
        buffer.discard_before(end)
        await submitting
        self._begin_segment()


class ChunkChannel(WholeChannel):
    """Segments of equal length, `simple.chunk_seconds`; the last, or a flushed one, is shorter.

    Args:
        context: Of the stream.
        start: The client's request.
        number: Which channel, from 0.
        resampling: Measures that stage.
    """

    def __init__(
        self, context: StreamContext, start: Start, number: int, resampling: Meter
    ) -> None:
        super().__init__(context, start, number, resampling)
        self._chunk = round(context.config.simple.chunk_seconds * context.sample_rate)
        """Samples in a chunk."""

    @property
    def needed_samples(self) -> int:
        """Samples of the client's until the chunk is full, or until they are resampled."""
        full = self._track.input_samples_until(self._track.buffer.start + self._chunk)
        return min(full, super().needed_samples)

    async def advance(self, probabilities: PendingProbabilities | None) -> None:
        """Infer the chunks that are full."""
        while len(self._track.buffer) >= self._chunk:
            await self._end_segment(self._track.buffer.start + self._chunk, "cut")
