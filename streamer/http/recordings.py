"""A recording through the pipeline of the sockets: same channels, segmenter, workers, events."""

import asyncio
from os import SEEK_END
from typing import BinaryIO, NamedTuple

import msgspec

from streamer.audio.files import AudioFileError, Mixed, PcmFile, Recording, SoundFile
from streamer.audio.format import AudioFormat
from streamer.config.schema import LimitsConfig
from streamer.http.recording_request import RecordingRequest
from streamer.http.refusals import Refused
from streamer.http.threads import in_thread
from streamer.inference.pool import WorkerPool
from streamer.observe.monitor import Meter
from streamer.pipeline.context import StreamContext
from streamer.pipeline.outbox import Outbox
from streamer.pipeline.stream import Stream
from streamer.protocol.codes import STATUS_OF_FAILED_SEGMENT, RequestErrorCode
from streamer.protocol.messages import (
    ChannelSeconds,
    ErrorEvent,
    Segment,
    Start,
    Stopped,
    VadOptions,
    WarningEvent,
)

DECODED_BLOCK_SECONDS = 1.0
"""Seconds of audio that are decoded at a time."""


class RecordingPlan(NamedTuple):
    """How a recording is processed.

    Attributes:
        pool: Workers of the chosen model.
        vad: Settings of the segmentation; None for one result over the whole, without a VAD.
    """

    pool: WorkerPool
    vad: VadOptions | None


class RecordingResult(NamedTuple):
    """The events of a recording.

    Attributes:
        segments: In the order of time, then of channels.
        failures: Of segments without a result, in the order of their events.
        warnings: In the order of their events.
        seconds: Length of the audio.
        inference_seconds: What the workers took for it.
        account: Where the audio of each channel went.
    """

    segments: list[Segment]
    failures: list[ErrorEvent]
    warnings: list[WarningEvent]
    seconds: float
    inference_seconds: float
    account: list[ChannelSeconds]

    def complete(self) -> "RecordingResult":
        """Itself, if every segment has a result.

        Raises:
            Refused: A segment has none; for answers that have no place for errors of segments.
        """
        for failure in self.failures:
            raise refusal_for_failed_segment(failure)
        return self


def refusal_for_failed_segment(failure: ErrorEvent) -> Refused:
    """The answer when a segment has no result: which segment, and why."""
    where = f"from {failure.start_time:g} s to {failure.end_time:g} s"
    code = msgspec.convert(failure.code, RequestErrorCode)
    return Refused(STATUS_OF_FAILED_SEGMENT.get(code, 500), code, f"{where}: {failure.message}")


async def open_recording(
    request: RecordingRequest,
    file: BinaryIO,
    fmt: AudioFormat | None,
    plan: RecordingPlan,
    *,
    mix: bool,
) -> Recording:
    """Open a received body; it is closed with the request.

    Args:
        request: Whose body it is.
        file: At its beginning.
        fmt: Of raw PCM; None for a file with a header.
        plan: How it is going to be processed.
        mix: Whether all channels are mixed into one.

    Raises:
        AudioFileError: It cannot be read.
        Refused: It is too long, or in a format that the pipeline does not take.
    """
    limits = request.services.config.limits
    request.services.monitor.received(file.seek(0, SEEK_END), 0.0)
    file.seek(0)
    if fmt is not None:
        _check_format(fmt, limits.max_channels)
    recording: Recording
    if fmt is None:
        recording = await in_thread(SoundFile, file)
    else:
        recording = await in_thread(PcmFile, file, fmt)
    request.resources.callback(recording.close)
    _check_format(_format(recording), limits.max_channels)
    if not recording.frames:
        raise AudioFileError("the recording holds no audio")
    _check_length(request, recording.frames / recording.sample_rate, plan)
    return Mixed(recording) if mix else recording


async def run_to_end(
    request: RecordingRequest, recording: Recording, plan: RecordingPlan, tasks: asyncio.TaskGroup
) -> RecordingResult:
    """Process a whole recording, and collect its events.

    Raises:
        AudioFileError: It turned out to be damaged.
        Refused: It turned out to be too long.
    """
    outbox = Outbox(request.services.monitor)
    inference_seconds = await stream_into(request, recording, plan, tasks, outbox)
    seconds = recording.frames / recording.sample_rate
    result = RecordingResult([], [], [], seconds, inference_seconds, [])
    while True:
        match await outbox.get():
            case Segment() as segment:
                result.segments.append(segment)
            case ErrorEvent() as failure:
                result.failures.append(failure)
            case WarningEvent() as warning:
                result.warnings.append(warning)
            case Stopped(audio_seconds=seconds, seconds=account):
                break
            case _:
                pass
    result.segments.sort(key=lambda segment: (segment.start_time, segment.channel))
    return result._replace(seconds=seconds, account=account)


async def stream_into(
    request: RecordingRequest,
    recording: Recording,
    plan: RecordingPlan,
    tasks: asyncio.TaskGroup,
    outbox: Outbox,
) -> float:
    """Run a recording through a stream; its events go to the outbox, `stopped` as the last.

    Args:
        request: Whose recording it is.
        recording: At its beginning.
        plan: How it is processed.
        tasks: Owns the stream's tasks.
        outbox: Takes the events.

    Returns:
        Seconds that the workers took for it.

    Raises:
        AudioFileError: It turned out to be damaged.
        Refused: It turned out to be too long.
    """
    services, monitor = request.services, request.services.monitor
    sample_rate = await plan.pool.wait_ready()
    context = StreamContext(
        session_id=request.id,
        route="recording",
        segmentation="whole" if plan.vad is None else "speech",
        config=services.config,
        vad=services.vad,
        monitor=monitor,
        pool=plan.pool,
        sample_rate=sample_rate,
        outbox=outbox,
        trace=request.trace(plan.pool.spec.name),
    )
    start = Start(format=_format(recording), vad=plan.vad or VadOptions())
    stream = Stream(context, start, tasks)
    stopped: Stopped | None = None
    try:
        await _feed(request, recording, plan, stream)
        if recording.bad_samples:
            text = "the audio holds samples that are not finite numbers; they were set to zero"
            outbox.post(WarningEvent(code="bad_samples", message=text))
        stopped = await stream.finish(monitor.clock())
    finally:
        stream.close(stopped)
    outbox.post(stopped)
    return stream.inference_seconds


async def _feed(
    request: RecordingRequest, recording: Recording, plan: RecordingPlan, stream: Stream
) -> None:
    decoding = Meter(request.services.monitor, "decode")
    block, fed_frames = round(DECODED_BLOCK_SECONDS * recording.sample_rate), 0
    while True:
        begun_s = decoding.clock()
        rows = await in_thread(recording.read, block)
        fed_frames += rows.shape[1]
        if not rows.shape[1]:
            break
        _check_length(request, fed_frames / recording.sample_rate, plan)
        arrived_s = decoding.clock()
        decoding.add(arrived_s - begun_s, rows.shape[1] / recording.sample_rate)
        await stream.feed_decoded(rows, arrived_s)
    decoding.report()


def _check_length(request: RecordingRequest, seconds: float, plan: RecordingPlan) -> None:
    longest, limit = _longest(request.services.config.limits, plan)
    if seconds > longest:
        text = f"the recording is longer than {longest:g} s; allowed: {limit}, {longest:g}"
        raise Refused(413, "too_long", text)


def _longest(limits: LimitsConfig, plan: RecordingPlan) -> tuple[float, str]:
    """The longest recording that is taken, in seconds, and what limits it."""
    if plan.vad is not None:
        return limits.max_recording_seconds, "limits.max_recording_seconds"
    own = plan.pool.max_seconds
    if own is not None and own < limits.max_audio_seconds:
        return own, f"what the model {plan.pool.spec.name} takes as a whole"
    return limits.max_audio_seconds, "limits.max_audio_seconds"


def _format(recording: Recording) -> AudioFormat:
    return AudioFormat(recording.sample_rate, recording.channels, 32, is_float=True)


def _check_format(fmt: AudioFormat, max_channels: int) -> None:
    if problem := fmt.problem(max_channels):
        raise Refused(400, "bad_format", problem)
