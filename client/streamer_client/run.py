"""One run of the command: send the audio and show the events at the same time."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from streamer_client.audio_sources import Source
from streamer_client.display import Display
from streamer_client.errors import StreamEnded, StreamerError
from streamer_client.event_text import clock, describe_problem, printable
from streamer_client.events import Event
from streamer_client.formats import AudioFormat
from streamer_client.pacing import delay_s
from streamer_client.reconnect import Reconnector
from streamer_client.source_timeline import ANNOUNCED_WITHIN_S, SourceTimeline, lost_event
from streamer_client.stream import Stream
from streamer_client.supply import Supply
from streamer_client.tally import Tally

KEEP_ALIVE_S = 3.0
"""Seconds without audio after which `keep_alive` is sent."""


_DESCRIBED = frozenset({"started", "active", "inactive", "flushed", "stopped"})
"""Types of events that `--verbose` describes."""


@dataclass
class Run:
    """Sends `source` in the pieces of `supply` to a stream, and shows the events that come back.

    When the stream ends early and lost connections are to be made again, it continues with another
    one: from the first audio without an answer, or from the oldest that `supply` still has. What
    lies between the two is lost, and reported.
    """

    source: Source
    supply: Supply
    display: Display
    real_time: bool
    verbose: bool
    words_expected: bool = False
    """Whether a person has asked for words, who then reads the warning that there are none."""
    parameters_named: bool = False
    """Whether the person has read already which parameters of the address have no effect."""
    tally: Tally = field(default_factory=Tally)
    _sending: asyncio.Timeout | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._timeline = SourceTimeline(self.source.format.channels)

    async def to_end(self, stream: Stream, reconnector: Reconnector) -> None:
        """Run until everything is answered. Ctrl-C ends the audio early, a second one the run.

        Args:
            stream: The first one.
            reconnector: Opens others.

        Raises:
            AudioFileError: the audio cannot be read to its end.
            StreamEnded: the stream ended early; what came before that has been shown.
            CannotConnect: no other stream can be opened.
            OSError: the transcript cannot be written.
        """
        loop = asyncio.get_running_loop()
        self.tally.started_s = loop.time()
        failure: BaseException | None = None
        try:
            with self._interruptible():
                async with asyncio.TaskGroup() as tasks:
                    filling = tasks.create_task(self.supply.fill())
                    await self._streams(stream, reconnector)
                    filling.cancel()
        except* (StreamerError, OSError) as group:
            failure = _first(group)
        finally:
            self.tally.ended_s = loop.time()
            if not isinstance(failure, OSError):  # the transcript can still be written
                self.display.end()
        if failure is not None:
            raise failure

    async def _streams(self, stream: Stream, reconnector: Reconnector) -> None:
        """One stream after another, until one is complete."""
        while True:
            try:
                await self._stream(stream)
                return
            except* StreamerError as group:
                error = _first(group)
                assert isinstance(error, StreamerError)
            stream = await self._next_stream(error, reconnector)

    async def _stream(self, stream: Stream) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send(stream))
            keeping_alive = tasks.create_task(self._keep_alive(stream))
            await self._show(stream)
            keeping_alive.cancel()

    async def _next_stream(self, error: StreamerError, reconnector: Reconnector) -> Stream:
        """Open the stream that follows one that ended early, and find where it begins.

        Raises:
            StreamerError: there will be none.
        """
        unanswered_s = self._timeline.unanswered_s(self._position_s, live=self._live)
        self.supply.set_offline(True)
        try:
            async with asyncio.timeout(0.0 if self.tally.interrupted else None) as self._sending:
                stream = await reconnector.reopen(error)
        except TimeoutError:  # Ctrl-C
            self.tally.interrupted = True
            raise error from None
        finally:
            self._sending = None
            self.supply.set_offline(False)
        self.tally.reconnections += 1
        self.supply.rewind(self._bytes(unanswered_s))
        lost_s = self._position_s - unanswered_s
        if lost_s > 0:
            self.tally.lost_s += lost_s
            span = f"{clock(unanswered_s)} → {clock(self._position_s)}"
            outcome = f"lost [{span}]: {lost_s:.1f} s of audio"
            self.display.event(lost_event(unanswered_s, self._position_s))
        else:
            outcome = "nothing is lost"
        reconnector.show(f"connected again; {outcome}")
        self._timeline.begin(self._position_s)
        return stream

    async def _send(self, stream: Stream) -> None:
        """Send everything, then `stop`, also when Ctrl-C cut the audio short."""
        # When the stream ends early, the receiving side raises the reason after the last event.
        with suppress(StreamEnded):
            sending = asyncio.timeout(None)
            try:
                async with sending:
                    self._sending = sending
                    await self._send_audio(stream)
            except TimeoutError:
                if not sending.expired():
                    raise
                self.tally.interrupted = True
            finally:
                self._sending = None
            await stream.stop()

    async def _send_audio(self, stream: Stream) -> None:
        loop = asyncio.get_running_loop()
        while chunk := await self.supply.take():
            if self.real_time:
                delay = delay_s(self.tally.started_s, self._position_s, loop.time())
                await asyncio.sleep(delay)
            await stream.send(chunk)
            self.tally.sent_s = max(self.tally.sent_s, self._position_s)
            self.display.sent(self._position_s)

    async def _keep_alive(self, stream: Stream) -> None:
        with suppress(StreamEnded):
            while True:
                before_s = stream.sent_s
                await asyncio.sleep(KEEP_ALIVE_S)
                if stream.sent_s == before_s:
                    await stream.keep_alive()

    async def _show(self, stream: Stream) -> None:
        loop = asyncio.get_running_loop()
        channels = self.source.format.channels
        async for received in stream:
            event = self._timeline.place(received)
            if event is None:
                continue
            self.tally.count(event, loop.time())
            self.display.event(event)
            if event.code == "no_words" and not self.words_expected:
                continue
            if event.code == "ignored_field" and self.parameters_named:
                continue
            if event.type in ("warning", "error", "going_away"):
                self.display.note(describe_problem(event, channels))
            elif self.verbose and event.type in _DESCRIBED:
                self.display.note(_describe(event))

    @property
    def _live(self) -> bool:
        """Whether audio was sent no faster than it was recorded, as far as the clock shows."""
        elapsed_s = asyncio.get_running_loop().time() - self.tally.started_s
        keeps_pace = (
            not self.source.replayable and self._position_s <= elapsed_s + ANNOUNCED_WITHIN_S
        )
        return self.source.live or self.real_time or keeps_pace

    @property
    def _position_s(self) -> float:
        """Seconds of the source that were taken so far."""
        return self.source.format.seconds(self.supply.position_bytes)

    def _bytes(self, time_s: float) -> int:
        form = self.source.format
        assert isinstance(form, AudioFormat)  # a container is not continued in another connection
        return int(time_s * form.sample_rate + 0.5) * form.frame_bytes

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        run = asyncio.current_task()
        assert run is not None

        def interrupted() -> None:
            if self._sending is not None:
                self._sending.reschedule(0.0)
                self._sending = None
            else:
                run.cancel()

        with suppress(NotImplementedError):  # Windows, where Ctrl-C ends the run at once
            loop.add_signal_handler(signal.SIGINT, interrupted)
        try:
            yield
        finally:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(signal.SIGINT)


def _describe(event: Event) -> str:
    pairs = (f"{key}={value}" for key, value in event.fields.items() if key != "type")
    return printable(f"{event.type} {' '.join(pairs)}")


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first failure of all, however deep it is nested."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
