"""One stream, from `started` to `stopped`: bytes in, one pipeline for each channel."""

import asyncio
from dataclasses import replace

import msgspec

from streamer.audio.containers import HeadCheck
from streamer.audio.format import CONTAINER, AudioFormat
from streamer.audio.levels import LevelCheck
from streamer.audio.pcm import PcmDecoder
from streamer.audio.resample import Samples
from streamer.inference.pool import WorkerPool
from streamer.observe.monitor import Meter
from streamer.observe.tracer import StreamTotals, StreamTrace
from streamer.pipeline.channel import Channel
from streamer.pipeline.channels import open_channels
from streamer.pipeline.context import StreamContext
from streamer.pipeline.received import ReceivedAudio, log_end
from streamer.pipeline.segment_requests import (
    result_settings,
    unmet,
)
from streamer.pipeline.stream_settings import configured, started
from streamer.pipeline.stream_warnings import BAD_SAMPLES, NOT_PCM, OUT_OF_SCALE, StreamWarnings
from streamer.protocol.events import (
    Configured,
    Started,
    Stopped,
    WarningEvent,
)
from streamer.protocol.requests import Start

JOIN_AFTER_S, JOIN_SHARE = 0.032, 0.5
"""Seconds of audio, and a share of what a stream waits for: with both, it joins a batch."""

PROCESSED_BLOCK_SECONDS = 1.0
"""Seconds of audio in a block: a longer backlog is processed in several, and others run between."""


class Stream:
    """A stream that has started.

    Args:
        context: What its channels share.
        start: The client's request.
        tasks: Owns the channels' sending tasks.

    Attributes:
        stopped: The event that closes the stream, if it has been sent already; else None.
    """

    def __init__(self, context: StreamContext, start: Start, tasks: asyncio.TaskGroup) -> None:
        self._context = context
        self._start = start
        self._tasks = tasks
        self._received = ReceivedAudio(context.monitor)
        self._warnings = StreamWarnings(
            context.outbox,
            speech_expected=context.segmentation == "speech",
            live=context.route != "recording",
        )
        self._decoding = Meter(context.monitor, "decode")
        self._resampling = Meter(context.monitor, "resample")
        self._channels: list[Channel] = []
        self._opened = False
        self.stopped: Stopped | None = None
        if not start.format.is_container:
            self._head = HeadCheck()
            self._decoder = PcmDecoder(start.format)
            frames = int(PROCESSED_BLOCK_SECONDS * start.format.sample_rate)
            self._block = frames * start.format.bytes_per_frame
            """Bytes in a block."""
            self._open(start.format)

    def _open(self, fmt: AudioFormat) -> None:
        """It is known what the audio is; to be called once."""
        context, monitor = self._context, self._context.monitor
        self._start = msgspec.structs.replace(self._start, format=fmt)
        self._opened = True
        self._level = LevelCheck() if fmt.is_float else None
        self._channels = open_channels(context, self._start, self._resampling)
        self._sending = [
            self._tasks.create_task(monitor.tracked("inference", channel.results.run()))
            for channel in self._channels
        ]
        self._accounts = [channel.results.account for channel in self._channels]
        self._received.opened(self._accounts, fmt.sample_rate)
        monitor.stream_opened(context.route, context.dialect, fmt.channels)

    @property
    def trace(self) -> StreamTrace:
        """Of this stream."""
        return self._context.trace

    def started(self) -> Started:
        """The event that lists the settings in force."""
        return started(self._start, self._context)

    def configure(self, start: Start, pool: WorkerPool) -> Configured:
        """Change the settings of the segments that begin later; returns the event about it.

        Args:
            start: The settings of the stream from now on; its format is not considered.
            pool: Workers of the chosen model; warm, and for audio at the same rate.
        """
        self._context = replace(self._context, pool=pool)
        self._start = start = msgspec.structs.replace(start, format=self._start.format)
        settings = result_settings(start, pool)
        # Of all channels the same: each has as many windows.
        times = [channel.configure(start, settings) for channel in self._channels]
        return configured(start, self._context, max(times, default=0.0))

    def unmet(self) -> list[WarningEvent]:
        """A warning for each thing that the client asked for, and that the model cannot do."""
        return unmet(self._start, self._context)

    @property
    def model_rate(self) -> int:
        """Hz. The rate of the audio that models get."""
        return self._context.sample_rate

    @property
    def needed_bytes(self) -> int:
        """With fewer bytes no channel can have an event, and no chunk would be full."""
        frames = min(channel.needed_samples for channel in self._channels)
        return max(1, frames * self._start.format.bytes_per_frame - self._decoder.pending_bytes)

    def joinable_bytes(self, needed_bytes: int) -> int | None:
        """Bytes from which this stream may join a batch early, while it waits for `needed_bytes`.

        None for multichannel streams: they fill a batch themselves.
        """
        if self._context.segmentation != "speech" or len(self._channels) > 1:
            return None
        least = int(JOIN_AFTER_S * self._start.format.sample_rate)
        joinable_bytes = max(
            int(needed_bytes * JOIN_SHARE), least * self._start.format.bytes_per_frame
        )
        return joinable_bytes if joinable_bytes < needed_bytes else None

    async def feed(self, data: bytes, arrived_s: float) -> None:
        """Process the next bytes, cut anywhere.

        Args:
            data: In the format of the `start`.
            arrived_s: When they arrived, on the monitor's clock.
        """
        self._received.bytes += len(data)
        self._note_arrival(arrived_s)
        if container := self._head.container(data):
            self._warnings.post("not_pcm", NOT_PCM.format(container))
        for first in range(0, len(data), self._block):
            await self._decode(data[first : first + self._block])
            if len(data) > self._block:
                await asyncio.sleep(0)

    async def feed_decoded(self, rows: Samples, arrived_s: float) -> None:
        """Process audio that is decoded already.

        Args:
            rows: float32 [channels, n] at the rate of the `start`.
            arrived_s: When it arrived, on the monitor's clock.
        """
        self._note_arrival(arrived_s)
        await self._process(rows)

    async def flush(self, arrived_s: float) -> None:
        """End the open segment of every channel now; each sends `flushed` when all is sent.

        Args:
            arrived_s: When the request arrived, on the monitor's clock.
        """
        self._note_arrival(arrived_s)
        async with asyncio.TaskGroup() as tasks:
            for channel in self._channels:
                tasks.create_task(channel.flush())

    async def clear(self, arrived_s: float) -> None:
        """Discard the open segment of every channel; argument and answer as for `flush`."""
        self._note_arrival(arrived_s)
        async with asyncio.TaskGroup() as tasks:
            for channel in self._channels:
                tasks.create_task(channel.clear())

    async def pause(self, arrived_s: float) -> None:
        """End the open segment of every channel: the audio has paused, as noticed at that time."""
        self._note_arrival(arrived_s)
        async with asyncio.TaskGroup() as tasks:
            for channel in self._channels:
                tasks.create_task(channel.pause())

    async def finish(self, arrived_s: float) -> Stopped:
        """Send everything that is pending; returns the event that closes the stream."""
        if not self._opened:
            self._open(CONTAINER)  # nothing of it could be decoded
        self._note_arrival(arrived_s)
        async with asyncio.TaskGroup() as tasks:
            for channel in self._channels:
                tasks.create_task(channel.finish())
        await asyncio.gather(*self._sending)
        self._received.report()
        sample_rate = self._start.format.sample_rate
        self._warnings.no_speech(self._accounts, sample_rate)
        return Stopped(
            audio_seconds=self._received.seconds,
            segments=sum(channel.results.totals.segments for channel in self._channels),
            session_id=self._context.session_id,
            seconds=[
                account.seconds(sample_rate, number)
                for number, account in enumerate(self._accounts)
            ],
        )

    @property
    def idle_since_s(self) -> float | None:
        """Since when no result is pending on any channel; None = one is."""
        latest_s = 0.0
        for channel in self._channels:
            since_s = channel.results.idle_since_s
            if since_s is None:
                return None
            latest_s = max(latest_s, since_s)
        return latest_s

    @property
    def inference_seconds(self) -> float:
        """What the workers took for the segments that have been sent so far."""
        return sum(channel.results.totals.inference_seconds for channel in self._channels)

    def close(self, stopped: Stopped | None) -> None:
        """Report and log the totals; to be called once.

        Args:
            stopped: None when the stream was broken off.
        """
        if not self._opened:
            self._open(CONTAINER)
        self._decoding.report()
        self._resampling.report()
        self._received.report()
        if stopped is None:
            self._received.abandon()
        context = self._context
        context.monitor.stream_closed(context.route, context.dialect, len(self._channels))
        context.trace.end(
            StreamTotals(stopped.audio_seconds, stopped.segments, self._received.account_seconds)
            if stopped
            else None
        )
        log_end(context, self._received, self._channels, stopped)
        # Tracebacks of what was broken off may lead here until the next garbage collection.
        for channel in self._channels:
            channel.release()

    def _note_arrival(self, arrived_s: float) -> None:
        for channel in self._channels:
            channel.results.arrived_s = arrived_s

    async def _decode(self, data: bytes) -> None:
        begun_s = self._decoding.clock()
        rows = self._decoder.decode(data)
        media_s = rows.shape[1] / self._start.format.sample_rate
        self._decoding.add(self._decoding.clock() - begun_s, media_s)
        if self._decoder.bad_samples:
            self._warnings.post_once("bad_samples", BAD_SAMPLES)
        await self._process(rows)

    async def _process(self, rows: Samples) -> None:
        self._received.frames += rows.shape[1]
        if self._level is not None and self._level.out_of_scale(rows):
            self._warnings.post("out_of_scale", OUT_OF_SCALE)
        self._received.report_if_due()
        detections = [channel.push(row) for channel, row in zip(self._channels, rows, strict=True)]
        for channel, detection in zip(self._channels, detections, strict=True):
            await channel.advance(detection)
        self._warnings.no_speech_yet(self._accounts, self._start.format.sample_rate)
