"""One stream of a load: its place in the audio, when each message was sent, and what came back."""

import json
import math
import socket
import time
from array import array
from collections import deque
from typing import Any, NamedTuple

from streamer.load.connect import CONNECT_TIMEOUT_S
from streamer.load.load_report import LoadReport
from streamer.load.plan import LoadPlan
from streamer.load.websocket_frames import CLOSE, PING, PONG, TEXT, FrameReader, client_frame

ROUNDING = 1e-6
"""Of a message: more than a division of two times is wrong by, and less than a sample."""


class _Ended(NamedTuple):
    """A segment without a result.

    Attributes:
        speech_sent_s: When its last speech was sent.
        inactive_s: When its `inactive` came.
        end_s: Of its speech, in the stream.
        shown_s: When an interim came that holds all of its speech; None = none has.
    """

    speech_sent_s: float
    inactive_s: float
    end_s: float
    shown_s: float | None = None


class LoadStream:
    """One socket on which a stream has started.

    Args:
        connected: A non-blocking socket, and the bytes of the frames that came already.
        plan: What is played.
        report: Gets the counts and latencies.
        frames: The audio as frames of equal size, one after another, shared by all streams.
        frame_size: Bytes of a frame.
        offset: Where in `frames` this stream begins.

    Attributes:
        sent: Number of messages that were sent.
        over: Whether the connection has ended.
        stopped: Whether `stopped` has come.
    """

    def __init__(
        self,
        connected: tuple[socket.socket, bytes],
        plan: LoadPlan,
        report: LoadReport,
        frames: memoryview,
        frame_size: int,
        offset: int,
    ) -> None:
        self.socket, received = connected
        self.sent = 0
        self.over = False
        self.stopped = False
        self._report = report
        self._frames = frames
        self._frame_size = frame_size
        self._offset = offset
        self._unsent = b""
        self._message_s = plan.message_s
        self._sent_times_s = array("d")
        """When each message was sent."""
        self._interims: list[tuple[float, float]] = []
        """Of the open segment: when each came, and the time of its end in the stream."""
        self._ended: deque[_Ended] = deque()
        """Segments without a result."""
        self._stop_sent_s = 0.0
        self._min_silence_s = 0.0
        self._reader = FrameReader()
        self._on_data(received)

    def send(self, now: float, due: float) -> None:
        """Send the next message; what the socket does not take is sent with the one after.

        Args:
            now: The clock's time.
            due: When the message should have been sent.
        """
        self._write(bytes(self._frames[self._offset : self._offset + self._frame_size]))
        self._offset = (self._offset + self._frame_size) % len(self._frames)
        self.sent += 1
        self._sent_times_s.append(now)
        self._report.late_ms.append(max(0.0, 1000 * (now - due)))
        self._report.audio_s += self._message_s

    def stop(self) -> None:
        """Send `stop`; the server finishes the stream and closes the socket."""
        self._stop_sent_s = time.perf_counter()
        self.socket.settimeout(CONNECT_TIMEOUT_S)
        self._write(client_frame(TEXT, b'{"request":"stop","disconnect":true}'))
        self.socket.setblocking(False)

    def receive(self) -> None:
        """Read what has arrived."""
        try:
            data = self.socket.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._on_data(data)
        else:
            self.over = True

    def _write(self, data: bytes) -> None:
        data = self._unsent + data
        try:
            self._unsent = data[self.socket.send(data) :]
        except BlockingIOError:
            self._unsent = data
        except OSError:
            self.over = True

    def _on_data(self, data: bytes) -> None:
        now = time.perf_counter()
        for opcode, payload in self._reader.feed(data):
            if opcode == TEXT:
                self._on_event(json.loads(payload), now)
            elif opcode == PING:
                self._write(client_frame(PONG, payload))
            elif opcode == CLOSE:
                self.over = True

    def _on_event(self, event: dict[str, Any], now: float) -> None:
        kind = event["type"]
        self._report.events[kind] += 1
        if kind == "active":
            self._report.active_ms.append(1000 * (now - self._sent_time_s(event["time"])))
            self._interims.clear()
        elif kind == "inactive":
            whole = (came_s for came_s, end_s in self._interims if end_s >= event["time"])
            sent_s = self._sent_time_s(event["time"])
            self._ended.append(_Ended(sent_s, now, event["time"], next(whole, None)))
        elif kind == "interim":
            self._interims.append((now, event["end_time"]))
        elif "end_time" in event:
            if not self._report.events["active"]:  # the segments of a stream of chunks
                sent_s = self._sent_time_s(event["end_time"])
                self._ended.append(_Ended(sent_s, now, event["end_time"]))
            if self._ended:
                self._on_result(event, now)
        elif kind == "started":
            self._min_silence_s = (event.get("vad") or {}).get("min_silence_ms", 0) / 1000
        elif kind == "stopped":
            self.stopped = True

    def _on_result(self, event: dict[str, Any], now: float) -> None:
        """A `segment`, or the `error` in its place."""
        ended = self._ended.popleft()
        if event["type"] != "segment":
            return
        self._report.inferred_s += event["end_time"] - event["start_time"]
        if ended.end_s + self._min_silence_s > self.sent * self._message_s:
            self._report.closing_ms.append(1000 * (now - self._stop_sent_s))
        else:
            shown_s = now if ended.shown_s is None else ended.shown_s
            self._report.final_ms.append(1000 * (now - ended.speech_sent_s))
            self._report.shown_ms.append(1000 * (shown_s - ended.speech_sent_s))
            if self._report.events["inactive"]:
                self._report.settled_ms.append(1000 * (now - ended.inactive_s))

    def _sent_time_s(self, time_s: float) -> float:
        """When the last sample before `time_s` of the stream was sent."""
        # A time on the edge of two messages belongs to the first, however the division rounds.
        index = max(0, math.ceil(time_s / self._message_s - ROUNDING) - 1)
        return self._sent_times_s[min(index, len(self._sent_times_s) - 1)]
