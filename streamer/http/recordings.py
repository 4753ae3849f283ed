"""A recording through the pipeline of the sockets: same channels, segmenter, workers, events."""

import asyncio
from os import SEEK_END
from typing import BinaryIO, NamedTuple

import msgspec

from streamer.audio.files import AudioFileError, Mixed, PcmFile, Recording, SoundFile
from streamer.audio.format import AudioFormat
from streamer.config.schema import LimitsConfig
from streamer.http.recording_request import Job
from streamer.http.refusals import FAILURES, Code, Refused
from streamer.http.threads import in_thread
from streamer.inference.pool import WorkerPool
from streamer.observe.monitor import Meter
from streamer.pipeline.context import StreamContext
from streamer.pipeline.outbox import Outbox
from streamer.pipeline.stream import Stream
from streamer.protocol.messages import Failed, Segment, Start, Stopped, VadOptions, Warned

BLOCK_SECONDS = 1.0
"""Decoded at a time."""


class Hearing(NamedTuple):
    """How a recording is to be heard.

    Attributes:
        pool: Workers of the chosen model.
        vad: Settings of the segmentation; None for one result over the whole, without a VAD.
    """

    pool: WorkerPool
    vad: VadOptions | None


class Heard(NamedTuple):
    """What came of a recording; segments in the order of time, then of channels."""

    segments: list[Segment]
    failures: list[Failed]
    warnings: list[Warned]
    seconds: float
    inference_seconds: float

    def complete(self) -> "Heard":
        """Itself.

        Raises:
            Refused: A segment has no result; for answers that have no place to say so.
        """
        for failure in self.failures:
            raise failed(failure)
        return self


def failed(failure: Failed) -> Refused:
    """The answer that says which segment has no result, and why."""
    where = f"from {failure.start_time:g} s to {failure.end_time:g} s"
    code = msgspec.convert(failure.code, Code)
    return Refused(FAILURES.get(code, 500), code, f"{where}: {failure.message}")


async def open_recording(
    job: Job, file: BinaryIO, fmt: AudioFormat | None, how: Hearing, *, mix: bool
) -> Recording:
    """Open a received body; it is closed with the job.

    Args:
        job: Whose it is.
        file: At its beginning.
        fmt: Of raw PCM; None for a file with a header.
        how: It is going to be heard.
        mix: Make one channel of all.

    Raises:
        AudioFileError: It cannot be read.
        Refused: It is too long, or in a format that the pipeline does not take.
    """
    limits = job.services.config.limits
    job.services.monitor.received(file.seek(0, SEEK_END), 0.0)
    file.seek(0)
    if fmt is not None:
        _check_format(fmt, limits.max_channels)
    recording: Recording
    if fmt is None:
        recording = await in_thread(SoundFile, file)
    else:
        recording = await in_thread(PcmFile, file, fmt)
    job.resources.callback(recording.close)
    _check_format(_format(recording), limits.max_channels)
    if not recording.frames:
        raise AudioFileError("the recording holds no audio")
    _check_length(job, recording.frames / recording.sample_rate, how)
    return Mixed(recording) if mix else recording


async def hear(job: Job, recording: Recording, how: Hearing, tasks: asyncio.TaskGroup) -> Heard:
    """Hear a whole recording.

    Raises:
        AudioFileError: It turned out to be damaged.
        Refused: It turned out to be too long.
    """
    outbox = Outbox(job.services.monitor)
    inference_seconds = await play(job, recording, how, tasks, outbox)
    heard = Heard([], [], [], recording.frames / recording.sample_rate, inference_seconds)
    while True:
        match await outbox.get():
            case Segment() as segment:
                heard.segments.append(segment)
            case Failed() as failure:
                heard.failures.append(failure)
            case Warned() as warning:
                heard.warnings.append(warning)
            case Stopped(audio_seconds=seconds):
                break
            case _:
                pass
    heard.segments.sort(key=lambda segment: (segment.start_time, segment.channel))
    return heard._replace(seconds=seconds)


async def play(
    job: Job, recording: Recording, how: Hearing, tasks: asyncio.TaskGroup, outbox: Outbox
) -> float:
    """Run a recording through a stream; its events go to the outbox, `stopped` as the last.

    Returns:
        Seconds that the workers spent on it.

    Raises:
        AudioFileError: It turned out to be damaged.
        Refused: It turned out to be too long.
    """
    services, monitor = job.services, job.services.monitor
    sample_rate = await how.pool.wait_ready()
    context = StreamContext(
        session_id=job.id,
        route="recording",
        segmentation="whole" if how.vad is None else "speech",
        config=services.config,
        vad=services.vad,
        monitor=monitor,
        pool=how.pool,
        sample_rate=sample_rate,
        outbox=outbox,
        trace=job.trace(how.pool.spec.name),
    )
    start = Start(format=_format(recording), vad=how.vad or VadOptions())
    stream = Stream(context, start, tasks)
    stopped: Stopped | None = None
    try:
        await _feed(job, recording, how, stream)
        if recording.bad_samples:
            text = "the audio holds samples that are not finite numbers; they were set to zero"
            outbox.post(Warned(code="bad_samples", message=text))
        stopped = await stream.finish(monitor.clock())
    finally:
        stream.close(stopped)
    outbox.post(stopped)
    return stream.inference_seconds


async def _feed(job: Job, recording: Recording, how: Hearing, stream: Stream) -> None:
    decoding = Meter(job.services.monitor, "decode")
    block, played = round(BLOCK_SECONDS * recording.sample_rate), 0
    while True:
        begun_s = decoding.clock()
        rows = await in_thread(recording.read, block)
        played += rows.shape[1]
        if not rows.shape[1]:
            break
        _check_length(job, played / recording.sample_rate, how)
        arrived_s = decoding.clock()
        decoding.add(arrived_s - begun_s, rows.shape[1] / recording.sample_rate)
        await stream.feed_decoded(rows, arrived_s)
    decoding.report()


def _check_length(job: Job, seconds: float, how: Hearing) -> None:
    longest, limit = _longest(job.services.config.limits, how)
    if seconds > longest:
        text = f"the recording is longer than {longest:g} s; allowed: {limit}, {longest:g}"
        raise Refused(413, "too_long", text)


def _longest(limits: LimitsConfig, how: Hearing) -> tuple[float, str]:
    """Seconds that are taken, and what says so."""
    if how.vad is not None:
        return limits.max_recording_seconds, "limits.max_recording_seconds"
    own = how.pool.max_seconds
    if own is not None and own < limits.max_audio_seconds:
        return own, f"what the model {how.pool.spec.name} takes as a whole"
    return limits.max_audio_seconds, "limits.max_audio_seconds"


def _format(recording: Recording) -> AudioFormat:
    return AudioFormat(recording.sample_rate, recording.channels, 32, is_float=True)


def _check_format(fmt: AudioFormat, max_channels: int) -> None:
    if problem := fmt.problem(max_channels):
        raise Refused(400, "bad_format", problem)
