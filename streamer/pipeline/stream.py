"""One stream, from `started` to `stopped`: bytes in, one pipeline for each channel."""

import asyncio
import logging

from streamer.audio.pcm import PcmDecoder
from streamer.audio.track import Track
from streamer.config.schema import InterimConfig, VadConfig
from streamer.inference.pool import WorkerPool
from streamer.observe.monitor import Meter, Route
from streamer.observe.tracer import StreamTrace
from streamer.pipeline.channels import Channel, ChunkChannel, Samples, SpeechChannel
from streamer.pipeline.outbox import Outbox
from streamer.pipeline.results import Delivery
from streamer.protocol.messages import (
    PROTOCOL_VERSION,
    Start,
    Started,
    Stopped,
    VadInForce,
    Warned,
)
from streamer.services import Services
from streamer.vad.segmenter import SegmenterSettings

_log = logging.getLogger(__name__)

WORTH_COMPANY_S = 0.032
"""Half of what it waits for, but so much at least, and a stream comes along with others."""

BLOCK_SECONDS = 1.0
"""A longer backlog is processed in blocks of this length, and others get their turn between."""


class Stream:
    """A stream that has started.

    Args:
        session_id: Of the socket.
        start: The client's request.
        segmented: Whether a VAD cuts the audio (`/api/v1/segmented`) or a clock
            (`/api/v1/simple`).
        services: What all sessions share.
        pool: Of the model that was chosen.
        sample_rate: The model's rate in Hz.
        tasks: Owns the channels' delivery tasks.
        outbox: Takes the events.
        trace: Of this stream.
        route: Which endpoint it came by, where it is not one of these two.
    """

    def __init__(
        self,
        session_id: str,
        start: Start,
        *,
        segmented: bool,
        services: Services,
        pool: WorkerPool,
        sample_rate: int,
        tasks: asyncio.TaskGroup,
        outbox: Outbox,
        trace: StreamTrace,
        route: Route | None = None,
    ) -> None:
        self.trace = trace
        self.route: Route = route or ("segmented" if segmented else "simple")
        """Which endpoint it came by."""
        self._session_id = session_id
        self._start = start
        self._segmented = segmented
        self._services = services
        self._pool = pool
        self._sample_rate = sample_rate
        self._outbox = outbox
        self._decoder = PcmDecoder(start.format)
        self._block = int(BLOCK_SECONDS * start.format.sample_rate) * start.format.bytes_per_frame
        self._frames = 0
        self._bytes = 0
        self._warned = False
        self._decoding = Meter(services.monitor, "decode")
        self._resampling = Meter(services.monitor, "resample")
        self._channels = [self._channel(number) for number in range(start.format.channels)]
        monitor = services.monitor
        self._deliveries = [
            tasks.create_task(monitor.tracked("inference", channel.delivery.run()))
            for channel in self._channels
        ]
        self._reported_frames = self._reported_bytes = 0
        monitor.stream_opened(self.route, start.format.channels)

    def started(self) -> Started:
        """The event that says which settings are in force."""
        vad = self._start.vad.over(self._services.config.vad)
        return Started(
            session_id=self._session_id,
            trace_id=self.trace.trace_id,
            model=self._pool.spec.name,
            sample_rate=self._sample_rate,
            interim_results=self._start.interim_results and self._segmented,
            vad=_in_force(vad) if self._segmented else None,
            protocol=PROTOCOL_VERSION,
        )

    @property
    def wanted_bytes(self) -> int:
        """Less than this changes nothing: no channel can have an event, no chunk would be full."""
        frames = min(channel.missing for channel in self._channels)
        return max(1, frames * self._start.format.bytes_per_frame - self._decoder.pending_bytes)

    def company_bytes(self, wanted_bytes: int) -> int | None:
        """With so much, while it waits for more, it comes along with other streams; None is never.

        Those of one channel do; the windows of many are company enough for each other.
        """
        if not self._segmented or len(self._channels) > 1:
            return None
        worth = int(WORTH_COMPANY_S * self._start.format.sample_rate)
        company_bytes = max(wanted_bytes // 2, worth * self._start.format.bytes_per_frame)
        return company_bytes if company_bytes < wanted_bytes else None

    async def feed(self, data: bytes, arrived_s: float) -> None:
        """Process the next bytes, cut anywhere, that came at that moment."""
        self._bytes += len(data)
        self._note_arrival(arrived_s)
        for first in range(0, len(data), self._block):
            await self._process(data[first : first + self._block])
            if len(data) > self._block:
                await asyncio.sleep(0)

    async def hear(self, rows: Samples, arrived_s: float) -> None:
        """Process audio that is decoded already, float32 [channels, n]."""
        self._note_arrival(arrived_s)
        await self._hear(rows)

    async def flush(self, arrived_s: float) -> None:
        """End the open segment of every channel now; the request came at that moment."""
        self._note_arrival(arrived_s)
        async with asyncio.TaskGroup() as tasks:
            for channel in self._channels:
                tasks.create_task(channel.flush())

    async def finish(self, arrived_s: float) -> Stopped:
        """Deliver everything still owed; returns the event that closes the stream."""
        self._note_arrival(arrived_s)
        async with asyncio.TaskGroup() as tasks:
            for channel in self._channels:
                tasks.create_task(channel.finish())
        await asyncio.gather(*self._deliveries)
        return Stopped(
            audio_seconds=self._frames / self._start.format.sample_rate,
            segments=sum(channel.delivery.segments for channel in self._channels),
            session_id=self._session_id,
        )

    @property
    def inference_seconds(self) -> float:
        """What the segments delivered so far took the workers."""
        return sum(channel.delivery.inference_seconds for channel in self._channels)

    def close(self, stopped: Stopped | None) -> None:
        """Settle the accounts; to be called once, with None when the stream was broken off."""
        self._decoding.report()
        self._resampling.report()
        self._report_received()
        self._services.monitor.stream_closed(self.route, len(self._channels))
        self.trace.end(stopped)
        deliveries = [channel.delivery for channel in self._channels]
        totals = {
            "route": self.route,
            "model": self._pool.spec.name,
            "channels": len(self._channels),
            "audio_seconds": round(self._frames / self._start.format.sample_rate, 3),
            "audio_bytes": self._bytes,
            "segments": sum(delivery.segments for delivery in deliveries),
            "interims": sum(delivery.interims for delivery in deliveries),
            "failed_segments": sum(delivery.failures for delivery in deliveries),
        }
        if self.route == "recording":
            del totals["audio_bytes"]  # it came decoded
        what = "stream ended" if stopped else "stream broken off"
        _log.info(what, extra={"fields": totals})
        # Tracebacks of what was broken off may lead here until the garbage collector comes by.
        for channel in self._channels:
            channel.release()

    def _note_arrival(self, arrived_s: float) -> None:
        for channel in self._channels:
            channel.delivery.arrived_s = arrived_s

    def _report_received(self) -> None:
        """Say what came in since it was said last."""
        frames, size = self._frames - self._reported_frames, self._bytes - self._reported_bytes
        self._services.monitor.received(size, frames / self._start.format.sample_rate)
        self._reported_frames, self._reported_bytes = self._frames, self._bytes

    def _on_shed(self) -> None:
        message = (
            "interim results come less often: the server is busy, or the audio comes faster than "
            "it is spoken; finals are not affected"
        )
        self._outbox.warn_once(Warned(code="interim_shed", message=message))

    async def _process(self, data: bytes) -> None:
        begun_s = self._decoding.clock()
        rows = self._decoder.decode(data)
        media_s = rows.shape[1] / self._start.format.sample_rate
        self._decoding.add(self._decoding.clock() - begun_s, media_s)
        if self._decoder.bad_samples and not self._warned:
            self._warned = True
            message = "the audio holds samples that are not finite numbers; they were set to zero"
            self._outbox.post(Warned(code="bad_samples", message=message))
        await self._hear(rows)

    async def _hear(self, rows: Samples) -> None:
        self._frames += rows.shape[1]
        if self._frames - self._reported_frames >= self._start.format.sample_rate:
            self._report_received()
        detections = [channel.push(row) for channel, row in zip(self._channels, rows, strict=True)]
        for channel, detection in zip(self._channels, detections, strict=True):
            await channel.advance(detection)

    def _channel(self, number: int) -> Channel:
        config = self._services.config
        delivery = Delivery(
            self._session_id,
            number,
            self._pool,
            self._outbox.post,
            self._on_shed,
            max_pending=config.inference.max_pending_segments,
            early_finals=config.inference.early_finals,
            monitor=self._services.monitor,
            trace=self.trace,
        )
        input_rate = self._start.format.sample_rate
        wanted = Track(input_rate, self._sample_rate)
        if not self._segmented:
            chunk = round(config.simple.chunk_seconds * self._sample_rate)
            return ChunkChannel(wanted, chunk, delivery, self._resampling)
        engine = self._services.vad
        same = engine.sample_rate == self._sample_rate
        return SpeechChannel(
            number,
            heard=wanted if same else Track(input_rate, engine.sample_rate),
            wanted=wanted,
            detector=engine.open(),
            window=engine.window,
            settings=_segmenter_settings(
                self._start.vad.over(config.vad),
                config.interim if self._start.interim_results else None,
                engine.sample_rate,
            ),
            delivery=delivery,
            post=self._outbox.post,
            meter=self._resampling,
        )


def _segmenter_settings(
    vad: VadConfig, interim: InterimConfig | None, sample_rate: int
) -> SegmenterSettings:
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


def _in_force(vad: VadConfig) -> VadInForce:
    return VadInForce(**{name: getattr(vad, name) for name in VadInForce.__struct_fields__})
