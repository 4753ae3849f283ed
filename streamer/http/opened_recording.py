"""A received recording: opened, and checked against the limits."""

from os import SEEK_END
from typing import BinaryIO, NamedTuple

from streamer.audio.format import MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, AudioFormat
from streamer.config.limits import LimitsConfig
from streamer.http.recording_request import RecordingRequest, tasks_of
from streamer.http.refusals import Refused
from streamer.inference.pool import WorkerPool
from streamer.protocol.requests import VadOptions
from streamer.recordings.recording import Mixed, PcmRecording, Recording
from streamer.recordings.threads import in_thread

MIN_BYTES_PER_SECOND = 500
"""Bytes. A recording with less for each second that its header declares is decoded to find out how
long it is; speech codecs need 600 or more."""

NAMES_IN_QUERY = {
    "sample_rate": "sample_rate",
    "channels": "channel_count",
    "bit_depth": "bit_depth",
    "is_float": "is_float",
}
"""What a query that describes raw PCM calls the fields of an `AudioFormat`."""


class RecordingPlan(NamedTuple):
    """How a recording is processed.

    Attributes:
        pool: Workers of the chosen model.
        vad: Settings of the segmentation; None for one result over the whole, without a VAD.
        words: Whether the words of segments are requested.
        key_terms: Phrases that are likelier than usual.
    """

    pool: WorkerPool
    vad: VadOptions | None
    words: bool = False
    key_terms: tuple[str, ...] = ()


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
    size = file.seek(0, SEEK_END)
    request.services.monitor.received(size, 0.0)
    file.seek(0)
    if fmt is not None and (problem := fmt.problem(limits.max_channels, NAMES_IN_QUERY)):
        raise Refused(400, "bad_format", problem)
    recording: Recording
    if fmt is None:
        # A short body lies in memory until its descriptor is asked for.
        body = await in_thread(file.fileno)
        async with tasks_of(request.http):
            recording = await request.services.decoders.open(body)
            request.resources.callback(recording.close)
    else:
        recording = await in_thread(PcmRecording, file, fmt)
    _check_format(recording, limits.max_channels)
    # A header can be wrong, but not if there are bytes enough for what it says.
    if recording.declared_s is not None and size > recording.declared_s * MIN_BYTES_PER_SECOND:
        check_length(request, recording.declared_s, plan)
    return Mixed(recording) if mix else recording


def check_length(request: RecordingRequest, seconds: float, plan: RecordingPlan) -> None:
    """Check how long a recording is, as far as it has been read.

    Raises:
        Refused: It is too long.
    """
    longest, limit = _longest(request.services.config.limits, plan)
    if seconds > longest:
        text = f"the recording is longer than {longest:g} s; allowed: {limit}, {longest:g}"
        raise Refused(413, "too_long", text)


def fits_whole(request: RecordingRequest, recording: Recording, pool: WorkerPool) -> bool:
    """Whether a recording is short enough for one result without a VAD, as far as is known."""
    longest, _ = _longest(request.services.config.limits, RecordingPlan(pool, None))
    return recording.declared_s is not None and recording.declared_s <= longest


def _longest(limits: LimitsConfig, plan: RecordingPlan) -> tuple[float, str]:
    """The longest recording that is taken, in seconds, and what limits it."""
    if plan.vad is not None:
        return limits.max_recording_seconds, "limits.max_recording_seconds"
    own = plan.pool.max_seconds
    if own is not None and own < limits.max_audio_seconds:
        return own, f"what the model {plan.pool.spec.name} takes as a whole"
    return limits.max_audio_seconds, "limits.max_audio_seconds"


def _check_format(recording: Recording, max_channels: int) -> None:
    """Check what a file says of itself; the request names none of it."""
    if not MIN_SAMPLE_RATE <= recording.sample_rate <= MAX_SAMPLE_RATE:
        text = f"the recording has a sample rate of {recording.sample_rate} Hz"
        allowed = f"{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz"
        raise Refused(400, "bad_format", f"{text}; allowed: {allowed}")
    if not 1 <= recording.channels <= max_channels:
        text = f"the recording has {recording.channels} channels"
        raise Refused(400, "bad_format", f"{text}; allowed: limits.max_channels, {max_channels}")
