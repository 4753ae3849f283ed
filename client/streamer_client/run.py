"""One run of the command: send the audio and show the events at the same time."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field

from streamer_client.display import Display
from streamer_client.errors import StreamEnded, StreamerError
from streamer_client.events import Event
from streamer_client.pacing import delay_s
from streamer_client.render import describe_trouble, printable
from streamer_client.sources import Source
from streamer_client.stream import Stream


@dataclass
class Tally:
    """What a run has seen so far. Times are on the event loop's clock, in seconds."""

    started_s: float = 0.0
    sent_s: float = 0.0
    ended_s: float = 0.0
    first_event_s: float | None = None
    segments: int = 0
    errors: int = 0
    interrupted: bool = False

    def count(self, event: Event, now_s: float) -> None:
        """Take one event into account."""
        if self.first_event_s is None and event.channel is not None:
            self.first_event_s = now_s
        self.segments += event.type == "segment"
        self.errors += event.type == "error"

    def summary(self, trace_id: str | None) -> str:
        """Return the closing line."""
        total_s = self.ended_s - self.started_s
        parts = [f"{self.sent_s:.1f} s of audio in {total_s:.2f} s"]
        if self.sent_s:
            parts.append(f"real-time factor {total_s / self.sent_s:.3f}")
        if self.first_event_s is not None:
            parts.append(f"first event after {self.first_event_s - self.started_s:.2f} s")
        parts.append(f"{self.segments} segment{'' if self.segments == 1 else 's'}")
        parts.append(f"trace {trace_id or 'unknown'}")
        return printable(", ".join(parts))


@dataclass
class Run:
    """Sends `source` to a stream in pieces of `chunk_bytes` and shows what comes back."""

    source: Source
    display: Display
    chunk_bytes: int
    real_time: bool
    verbose: bool
    tally: Tally = field(default_factory=Tally)
    _sending: asyncio.Timeout | None = field(default=None, init=False)

    async def over(self, stream: Stream) -> None:
        """Run until the stream is complete. Ctrl-C ends the audio early, a second one the run.

        Raises:
            AudioFileError: the audio cannot be read to its end.
            StreamEnded: the stream ended early; what came before that has been shown.
            OSError: the transcript cannot be written.
        """
        loop = asyncio.get_running_loop()
        self.tally.started_s = loop.time()
        failure: BaseException | None = None
        try:
            with self._interruptible():
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._send(stream))
                    tasks.create_task(self._show(stream))
        except* (StreamerError, OSError) as group:
            failure = group.exceptions[0]
        finally:
            self.tally.ended_s = loop.time()
        if failure is not None:
            raise failure

    async def _send(self, stream: Stream) -> None:
        """Send everything, then `stop`, also when Ctrl-C cut the audio short."""
        # When the stream ends early the receiving side knows why, and has events to show before.
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
        bytes_per_second = self.source.format.bytes_per_second
        taken_bytes = 0
        async with aclosing(self.source.chunks(self.chunk_bytes)) as chunks:
            async for chunk in chunks:
                taken_bytes += len(chunk)
                if self.real_time:
                    audio_s = taken_bytes / bytes_per_second
                    await asyncio.sleep(delay_s(self.tally.started_s, audio_s, loop.time()))
                await stream.send(chunk)
                self.tally.sent_s = stream.sent_s
                self.display.sent(stream.sent_s)

    async def _show(self, stream: Stream) -> None:
        loop = asyncio.get_running_loop()
        channels = self.source.format.channels
        async for event in stream:
            self.tally.count(event, loop.time())
            self.display.event(event)
            if event.type in ("warning", "error", "going_away"):
                self.display.note(describe_trouble(event, channels))
            elif self.verbose and event.type in ("started", "active", "inactive", "stopped"):
                self.display.note(_describe(event))

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
