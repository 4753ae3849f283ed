"""Notices that a client that sends in real time has stopped sending audio.

Two things can look alike: the client sends nothing, or what it sends does not arrive. A ping tells
them apart. The client answers it behind all audio that it has sent before, in the same order, so
with the pong it is certain that no audio is under way. While the network is stalled, or while the
server itself does not read, no pong arrives.
"""

import asyncio
from collections.abc import Callable

from streamer.audio.format import AudioFormat
from streamer.session.pace import AudioPace

RETRY_S = 1.0
"""Seconds until the next check, when a ping could not be sent, or a stream was not judged live."""


class PauseWatch:
    """Watches the streams of one socket, one after another.

    Args:
        clock: Monotonic seconds.
        send_ping: Sends a ping whose pong is reported to `on_pong`, in order with the messages
            from the client; returns False if none can be sent now.
        on_pause: Called when a pause is certain.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        send_ping: Callable[[], bool],
        on_pause: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._send_ping = send_ping
        self._on_pause = on_pause
        self._pace: AudioPace | None = None
        """Of the open stream; None = there is none, or it is not watched."""
        self._bytes_per_second = 1
        self._min_silence_s: float | None = None
        self._last_s = 0.0
        """When audio arrived last."""
        self._asked_s: float | None = None
        """When the ping was sent that is not answered; None = there is none, or audio came."""
        self._wakeup = asyncio.Event()
        """Set when there may be something to watch."""

    def begin(self, fmt: AudioFormat, min_silence_s: float | None) -> None:
        """A stream begins.

        Args:
            fmt: Of its audio.
            min_silence_s: Seconds of silence that end a segment; None = do not watch it.
        """
        self._bytes_per_second = fmt.bytes_per_second
        self._min_silence_s = min_silence_s
        self.begin_again()

    def begin_again(self) -> None:
        """Another stream begins, with the settings of the last one."""
        self._pace = None if self._min_silence_s is None else AudioPace()
        self._asked_s = None

    def end(self) -> None:
        """The stream ends."""
        self._pace = None

    def on_audio(self, size: int) -> None:
        """Bytes of audio have arrived."""
        if self._pace is not None:
            self._last_s = self._clock()
            self._asked_s = None
            self._pace.on_audio(size / self._bytes_per_second, self._last_s)
            self._wakeup.set()

    def on_pong(self) -> None:
        """A ping is answered, and everything that the client sent before has arrived."""
        if self._pace is not None and self._asked_s is not None:
            self._asked_s = None
            self._pace.on_pause()
            self._on_pause()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            wait_s = self._check()
            if wait_s is None:
                self._wakeup.clear()
                await self._wakeup.wait()
            else:
                await asyncio.sleep(wait_s)

    def _check(self) -> float | None:
        """Ask if a pause is likely; returns the seconds until the next check.

        None = not before audio arrives.
        """
        if self._pace is None or self._min_silence_s is None or self._asked_s is not None:
            return None
        gap_s = self._pace.longest_gap_s()
        now_s = self._clock()
        if gap_s is None:
            return RETRY_S if self._last_s > now_s - RETRY_S else None
        left_s = self._last_s + gap_s + self._min_silence_s - now_s
        if left_s > 0:
            return left_s
        if not self._send_ping():
            return RETRY_S
        self._asked_s = now_s
        return None
