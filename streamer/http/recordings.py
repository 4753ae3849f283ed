"""A recording through the pipeline of the sockets: same channels, segmenter, workers, events."""

import asyncio
import logging
from typing import NamedTuple

import msgspec

from streamer.audio.format import AudioFormat
from streamer.http.opened_recording import RecordingPlan, check_length
from streamer.http.recording_request import RecordingRequest
from streamer.http.refusals import Refused
from streamer.observe.monitor import Meter
from streamer.pipeline.context import StreamContext
from streamer.pipeline.outbox import Outbox
from streamer.pipeline.stream import Stream
from streamer.protocol.codes import STATUS_OF_FAILED_SEGMENT, RequestErrorCode, RequestWarningCode
from streamer.protocol.events import ChannelSeconds, ErrorEvent, Segment, Stopped, WarningEvent
from streamer.protocol.requests import Start, VadOptions
from streamer.recordings.recording import Recording

_log = logging.getLogger(__name__)


class RecordingWarning(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="warning"):
    """A notice for people: what of the recording is missing, or what was not done."""

    code: RequestWarningCode
    message: str


class RecordingResult(NamedTuple):
    """The events of a recording.

    Attributes:
        segments: In the order of time, then of channels.
        failures: Of segments without a result, in the order of their events.
        warnings: In the order of their events; what is missing of the recording comes last.
        seconds: Length of the audio.
        inference_seconds: What the workers took for it.
        account: Where the audio of each channel went.
    """

    segments: list[Segment]
    failures: list[ErrorEvent]
    warnings: list[RecordingWarning]
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


async def run_to_end(
    request: RecordingRequest, recording: Recording, plan: RecordingPlan, tasks: asyncio.TaskGroup
) -> RecordingResult:
    """Process a whole recording, and collect its events.

    Raises:
        AudioFileError: It turned out to be damaged.
        Refused: It turned out to be too long.
    """
    outbox = Outbox(request.services.monitor)
    streaming = tasks.create_task(stream_into(request, recording, plan, tasks, outbox))
    result = RecordingResult([], [], [], 0.0, 0.0, [])
    while True:
        match await outbox.get():
            case Segment() as segment:
                result.segments.append(segment)
            case ErrorEvent() as failure:
                result.failures.append(failure)
            case WarningEvent() as warning:
                result.warnings.append(RecordingWarning(code=warning.code, message=warning.message))
            case Stopped(audio_seconds=seconds, seconds=account):
                break
            case _:
                pass
    result.warnings.extend(damage(recording))
    result.segments.sort(key=lambda segment: (segment.start_time, segment.channel))
    inference_seconds = await streaming
    return result._replace(seconds=seconds, inference_seconds=inference_seconds, account=account)


def damage(recording: Recording) -> list[RecordingWarning]:
    """What is missing of a recording that has been read to its end."""
    return [RecordingWarning(code="damaged_audio", message=text) for text in recording.warnings]


async def stream_into(
    request: RecordingRequest,
    recording: Recording,
    plan: RecordingPlan,
    tasks: asyncio.TaskGroup,
    outbox: Outbox,
) -> float:
    """Run a recording through a stream; its events go to the outbox, `stopped` as the last.

    It waits while the outbox is full, so another task has to take the events meanwhile.

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
        dialect=request.dialect,
        segmentation="whole" if plan.vad is None else "speech",
        config=services.config,
        vad=services.vad,
        monitor=monitor,
        pool=plan.pool,
        sample_rate=sample_rate,
        outbox=outbox,
        trace=request.trace(plan.pool.spec.name),
    )
    start = Start(
        format=_format(recording),
        vad=plan.vad or VadOptions(),
        words=plan.words,
        keyterms=plan.key_terms,
    )
    stream = Stream(context, start, tasks)
    for warning in stream.unmet():
        outbox.post(warning)
    stopped: Stopped | None = None
    try:
        await _feed(request, recording, plan, stream, outbox)
        if recording.bad_samples:
            text = "the audio holds samples that are not finite numbers; they were set to zero"
            outbox.post(WarningEvent(code="bad_samples", message=text))
        for text in recording.warnings:
            _log.warning("request %s: %s", request.id, text)
        stopped = await stream.finish(monitor.clock())
    finally:
        stream.close(stopped)
    outbox.post(stopped)
    return stream.inference_seconds


async def _feed(
    request: RecordingRequest,
    recording: Recording,
    plan: RecordingPlan,
    stream: Stream,
    outbox: Outbox,
) -> None:
    decoding = Meter(request.services.monitor, "decode")
    fed_frames = 0
    while True:
        begun_s = decoding.clock()
        rows = await recording.read()
        fed_frames += rows.shape[1]
        if not rows.shape[1]:
            break
        check_length(request, fed_frames / recording.sample_rate, plan)
        arrived_s = decoding.clock()
        decoding.add(arrived_s - begun_s, rows.shape[1] / recording.sample_rate)
        await stream.feed_decoded(rows, arrived_s)
        await outbox.drained()
    decoding.report()


def _format(recording: Recording) -> AudioFormat:
    return AudioFormat(recording.sample_rate, recording.channels, 32, is_float=True)
