"""A stream whose audio comes in a container: a process of its own decodes it as it comes.

The channels open when the container has said what it holds. What cannot be decoded any further ends
the stream: all results, then an `error`, then `stopped`; what the client still sends has no effect.
"""

import asyncio
from collections.abc import Callable

from streamer.audio.format import AudioFormat
from streamer.audio.resample import Samples
from streamer.pipeline.context import StreamContext
from streamer.pipeline.stream import Stream
from streamer.pipeline.stream_warnings import BAD_SAMPLES
from streamer.protocol.actions import AudioReached, Cleared
from streamer.protocol.codes import ErrorCode
from streamer.protocol.events import ErrorEvent, Flushed, Stopped
from streamer.protocol.requests import Start
from streamer.recordings.decoder import Decoders
from streamer.recordings.errors import AudioFileError, DecoderLost
from streamer.recordings.joining import fit_channels
from streamer.recordings.live_decoder import LiveDecoder

DECODED_BITS = 32
"""Of each sample that a decoder makes, which is a float."""

OTHER_RATE = (
    "'format.sample_rate' is {given}, and the {container} stream has {found}, which counts; with "
    "'format.encoding' \"auto\" it need not be given"
)
OTHER_CHANNELS = (
    "'format.channels' is {given}, and the {container} stream has {found}: each channel gets the "
    "mean of all; with 'format.encoding' \"auto\" it need not be given, and 1 is a mix of all"
)
DAMAGED = (
    "the {container} stream is damaged somewhere before {seconds:.1f} s, and audio may be missing; "
    "a warning at its end says how much"
)
NO_CONTAINER = (
    "'format.encoding' is \"auto\": {}; for raw samples give the 'format.encoding' pcm, mulaw or "
    "alaw, and the 'format.sample_rate'"
)


class ContainerStream(Stream):
    """See `Stream`.

    Args:
        context: What its channels share.
        start: The client's request; its `format` says that there is a container.
        tasks: Owns the channels' sending tasks.
        decoders: Starts the process.
        on_decoded: Gets the seconds of audio that were decoded.
    """

    def __init__(
        self,
        context: StreamContext,
        start: Start,
        tasks: asyncio.TaskGroup,
        decoders: Decoders,
        on_decoded: Callable[[float], None],
    ) -> None:
        super().__init__(context, start, tasks)
        self._given = start.format
        self._decoders = decoders
        self._on_decoded = on_decoded
        self._live: LiveDecoder | None = None
        """None before the first byte."""

    @property
    def needed_bytes(self) -> int:
        """Any byte may complete some audio."""
        return 1

    def joinable_bytes(self, needed_bytes: int) -> int | None:
        """No stream waits for more bytes here."""
        return None

    async def feed(self, data: bytes, arrived_s: float) -> None:
        """Decode and process the next bytes of the container, cut anywhere."""
        if self.stopped is not None:
            return
        self._received.bytes += len(data)
        self._note_arrival(arrived_s)
        try:
            if self._live is None:
                self._live = self._open_decoder()
            await self._live.push(data, self._take)
            self._warn_of_new_damage(self._live)
        except (AudioFileError, DecoderLost, _NoRoom) as problem:
            await self._break_off(problem, arrived_s)

    async def flush(self, arrived_s: float) -> None:
        """See `Stream`; without channels, the first is answered for."""
        if self._channels and self.stopped is None:
            await super().flush(arrived_s)
            return
        for number in range(max(1, len(self._channels))):
            self._context.outbox.post(Flushed(time=self._received.seconds, channel=number))

    async def clear(self, arrived_s: float) -> None:
        """See `Stream`; answered as `flush`."""
        if self._channels and self.stopped is None:
            await super().clear(arrived_s)
            return
        for number in range(max(1, len(self._channels))):
            self._context.outbox.post(Cleared(time=self._received.seconds, channel=number))

    async def pause(self, arrived_s: float) -> None:
        """See `Stream`."""
        if self.stopped is None:
            await super().pause(arrived_s)

    async def finish(self, arrived_s: float) -> Stopped:
        """See `Stream`; if it has ended before, the event that was sent then."""
        if self.stopped is None and self._live is not None:
            try:
                await self._live.finish(self._take)
            except (AudioFileError, DecoderLost) as problem:
                await self._break_off(problem, arrived_s)
            else:
                self._warn_of_damage(self._live)
                self._live.close()
        return self.stopped or await super().finish(arrived_s)

    def close(self, stopped: Stopped | None) -> None:
        """See `Stream`."""
        if self._live is not None:
            self._live.close()
        super().close(stopped or self.stopped)

    def _open_decoder(self) -> LiveDecoder:
        allowed = self._context.config.limits.max_container_streams
        if allowed and self._decoders.live >= allowed:
            raise _NoRoom(
                f"{self._decoders.live} streams in containers are open; allowed: "
                f"limits.max_container_streams ({allowed}). Send raw samples, or try again later"
            )
        return self._decoders.open_live()

    async def _take(self, rows: Samples) -> None:
        """Process decoded samples, float32 [channels, n] at the container's rate."""
        decoder, outbox = self._live, self._context.outbox
        assert decoder is not None  # it calls this
        if not self._opened:
            self._open_decoded(decoder)
        if decoder.bad_samples:
            self._warnings.post_once("bad_samples", BAD_SAMPLES)
        self._on_decoded(self._received.seconds_of(rows.shape[1]))
        await self._process(fit_channels(rows, len(self._channels)))
        if self._context.progress:
            outbox.post(AudioReached(time=self._received.seconds))
        if outbox.full:  # a few bytes may be hours of audio
            await outbox.drained()

    def _open_decoded(self, decoder: LiveDecoder) -> None:
        header, given = decoder.header, self._given
        assert header is not None  # it comes before all samples
        fmt = AudioFormat(
            header.sample_rate, given.channels or header.channels, DECODED_BITS, is_float=True
        )
        names = {"sample_rate": "sample rate", "channels": "number of channels"}
        actual = AudioFormat(header.sample_rate, header.channels, DECODED_BITS, is_float=True)
        if problem := actual.problem(self._context.config.limits.max_channels, names):
            raise AudioFileError(f"of the {header.container} stream, the {problem}")
        container = header.container
        if given.sample_rate not in (0, header.sample_rate):
            text = OTHER_RATE.format(
                given=given.sample_rate, container=container, found=header.sample_rate
            )
            self._warnings.post("other_format", text)
        if given.channels not in (0, 1, header.channels):
            text = OTHER_CHANNELS.format(
                given=given.channels, container=container, found=header.channels
            )
            self._warnings.post("other_format", text)
        self._open(fmt)

    async def _break_off(self, problem: Exception, arrived_s: float) -> None:
        """Nothing more can be decoded: end the stream, and say why behind all results."""
        if self._live is not None:
            self._warn_of_damage(self._live)
            self._live.close()
        stopped = await super().finish(arrived_s)
        failure = ErrorEvent(code=_code(problem), message=self._explain(problem), fatal=False)
        self.trace.error(failure.code, failure.message)
        self._context.outbox.post(failure)
        self._context.outbox.post(stopped)
        self.stopped = stopped

    def _explain(self, problem: Exception) -> str:
        text = str(problem)
        if isinstance(problem, AudioFileError) and problem.code == "unsupported_media_type":
            text = NO_CONTAINER.format(text)
        end = "the stream ends here"
        if self._received.frames:
            end = f"{self._received.seconds:.2f} s before it are decoded; {end}"
        return f"{text}; {end}"

    def _warn_of_new_damage(self, decoder: LiveDecoder) -> None:
        """Say it when it is found: the end may be hours away."""
        if decoder.is_damaged and decoder.header:
            container, seconds = decoder.header.container, self._received.seconds
            text = DAMAGED.format(container=container, seconds=seconds)
            self._warnings.post_once("damaged_audio", text)

    def _warn_of_damage(self, decoder: LiveDecoder) -> None:
        for text in decoder.warnings:
            self._warnings.post("damaged_audio", text)


class _NoRoom(Exception):
    """Too many streams in containers are open."""


def _code(problem: Exception) -> ErrorCode:
    match problem:
        case AudioFileError():
            return "bad_audio"
        case _NoRoom():
            return "overloaded"
        case _:
            return "internal_error"
