"""One stream, from `started` to `stopped`: bytes in, one pipeline for each channel."""

import asyncio
import logging
from dataclasses import replace

import msgspec

from streamer.audio.containers import HeadCheck
from streamer.audio.format import CONTAINER, AudioFormat
from streamer.audio.levels import LevelCheck
from streamer.audio.pcm import PcmDecoder
from streamer.audio.resample import Samples
from streamer.config.segmentation import VadConfig
from streamer.inference.pool import WorkerPool
from streamer.observe.monitor import Meter
from streamer.observe.tracer import StreamTotals, StreamTrace
from streamer.pipeline.account import AccountReport, no_speech, no_speech_yet
from streamer.pipeline.channel import Channel
from streamer.pipeline.channels import open_channels
from streamer.pipeline.context import StreamContext
from streamer.pipeline.segment_requests import (
    no_eager_interims,
    result_settings,
    segment_request,
    unmet,
)
from streamer.protocol.codes import WarningCode
from streamer.protocol.events import (
    PROTOCOL_VERSION,
    Configured,
    Started,
    Stopped,
    VadInForce,
    WarningEvent,
)
from streamer.protocol.requests import Start

_log = logging.getLogger(__name__)

JOIN_AFTER_S, JOIN_SHARE = 0.032, 0.5
"""Seconds of audio, and a share of what a stream waits for: with both, it joins a batch."""

BAD_SAMPLES = "the audio holds samples that are not finite numbers; they were set to zero"
OUT_OF_SCALE = (
    "the float samples are far beyond 1, which is full scale: divide by 32768 if they are integers "
    "of 16 bits (24 bits: by 8388608, 32 bits: by 2147483648)"
)
NOT_PCM = (
    "the audio begins like a file in {} format, and is processed as raw samples in the given "
    "'format': send decoded samples without the header of a file, or send the file to POST "
    "/api/v1/analyze"
)

NO_AUDIO: frozenset[WarningCode] = frozenset({"not_pcm", "out_of_scale"})
"""Warnings that already explain why no speech was found: the samples are not audio."""

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
        self._frames = 0
        self._bytes = 0
        self._warned: set[WarningCode] = set()
        """Codes of the warnings that were sent."""
        self._decoding = Meter(context.monitor, "decode")
        self._resampling = Meter(context.monitor, "resample")
        self._channels: list[Channel] = []
        self._opened = False
        self._reported_frames = self._reported_bytes = 0
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
        self._account = AccountReport(self._accounts, fmt.sample_rate, monitor)
        monitor.stream_opened(context.route, context.dialect, fmt.channels)

    @property
    def trace(self) -> StreamTrace:
        """Of this stream."""
        return self._context.trace

    def started(self) -> Started:
        """The event that lists the settings in force."""
        context, speech = self._context, self._context.segmentation == "speech"
        vad = self._start.vad.over(context.config.vad)
        return Started(
            session_id=context.session_id,
            trace_id=context.trace.trace_id,
            model=context.pool.spec.name,
            sample_rate=context.sample_rate,
            interim_results=self._start.interim_results and speech,
            words=segment_request(self._start, context.pool).words if self._start.words else None,
            eager=no_eager_interims(context) is None if self._start.eager else None,
            vad=_in_force(vad) if speech else None,
            max_message_bytes=context.config.limits.max_message_bytes,
            protocol=PROTOCOL_VERSION,
        )

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
        started = self.started()
        return Configured(
            time=max(times, default=0.0),
            model=started.model,
            interim_results=started.interim_results,
            vad=started.vad,
            keyterms=start.keyterms if pool.uses_key_terms else (),
            words=started.words,
            eager=started.eager,
        )

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
        self._bytes += len(data)
        self._note_arrival(arrived_s)
        if container := self._head.container(data):
            self._warn("not_pcm", NOT_PCM.format(container))
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
        self._report_received()
        sample_rate = self._start.format.sample_rate
        accounts = self._accounts
        if self._may_lack_speech and (text := no_speech(accounts, sample_rate)):
            self._warn("no_speech", text)
        return Stopped(
            audio_seconds=self._audio_seconds,
            segments=sum(channel.results.totals.segments for channel in self._channels),
            session_id=self._context.session_id,
            seconds=[
                account.seconds(sample_rate, number) for number, account in enumerate(accounts)
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
        self._report_received()
        if stopped is None:
            self._account.abandon()
        route, dialect = self._context.route, self._context.dialect
        self._context.monitor.stream_closed(route, dialect, len(self._channels))
        account = {
            entry: self._seconds(samples) for entry, samples in self._account.totals().items()
        }
        ended = StreamTotals(stopped.audio_seconds, stopped.segments, account) if stopped else None
        self._context.trace.end(ended)
        totals = [channel.results.totals for channel in self._channels]
        fields = {
            "route": route,
            "dialect": dialect,
            "model": self._context.pool.spec.name,
            "channels": len(self._channels),
            "audio_seconds": round(self._audio_seconds, 3),
            "audio_bytes": self._bytes,
            "segments": sum(each.segments for each in totals),
            "interims": sum(each.interims for each in totals),
            "failed_segments": sum(each.failures for each in totals),
            "channel_seconds": {entry: round(each, 3) for entry, each in account.items()},
        }
        if route == "recording":
            del fields["audio_bytes"]  # it came decoded
        what = "stream ended" if stopped else "stream broken off"
        _log.info(what, extra={"fields": fields})
        # Tracebacks of what was broken off may lead here until the next garbage collection.
        for channel in self._channels:
            channel.release()

    @property
    def _audio_seconds(self) -> float:
        return self._seconds(self._frames)

    def _seconds(self, frames: int) -> float:
        return frames / self._start.format.sample_rate if frames else 0.0

    def _note_arrival(self, arrived_s: float) -> None:
        for channel in self._channels:
            channel.results.arrived_s = arrived_s

    def _report_received(self) -> None:
        """Report what has been received since the last report."""
        frames, size = self._frames - self._reported_frames, self._bytes - self._reported_bytes
        self._context.monitor.received(size, self._seconds(frames))
        self._account.received(frames)
        self._account.report()
        self._reported_frames, self._reported_bytes = self._frames, self._bytes

    async def _decode(self, data: bytes) -> None:
        begun_s = self._decoding.clock()
        rows = self._decoder.decode(data)
        media_s = rows.shape[1] / self._start.format.sample_rate
        self._decoding.add(self._decoding.clock() - begun_s, media_s)
        if self._decoder.bad_samples and "bad_samples" not in self._warned:
            self._warn("bad_samples", BAD_SAMPLES)
        await self._process(rows)

    def _warn(self, code: WarningCode, message: str) -> None:
        self._warned.add(code)
        self._context.outbox.post(WarningEvent(code=code, message=message))

    @property
    def _may_lack_speech(self) -> bool:
        """Whether a lack of speech would be news: it was not reported, and nothing explains it."""
        explained = self._warned & {"no_speech", *NO_AUDIO}
        return self._context.segmentation == "speech" and bool(self._channels) and not explained

    def _warn_of_no_speech_yet(self) -> None:
        # A recording is answered once it is over: what it has so far is not of interest.
        if self._context.route == "recording" or not self._may_lack_speech:
            return
        if text := no_speech_yet(self._accounts, self._start.format.sample_rate):
            self._warn("no_speech", text)

    async def _process(self, rows: Samples) -> None:
        self._frames += rows.shape[1]
        if self._level is not None and self._level.out_of_scale(rows):
            self._warn("out_of_scale", OUT_OF_SCALE)
        if self._frames - self._reported_frames >= self._start.format.sample_rate:
            self._report_received()
        detections = [channel.push(row) for channel, row in zip(self._channels, rows, strict=True)]
        for channel, detection in zip(self._channels, detections, strict=True):
            await channel.advance(detection)
        self._warn_of_no_speech_yet()


def _in_force(vad: VadConfig) -> VadInForce:
    return VadInForce(**{name: getattr(vad, name) for name in VadInForce.__struct_fields__})
