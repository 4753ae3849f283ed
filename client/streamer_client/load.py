"""Many live streams from one process, at little cost: `streamer-client load`.

Each stream plays the same recording, round and round, from a place of its own, in real time. What
is sent is prepared once, and one loop without tasks sends and receives for all streams, so that
the generator takes little from the machine that it shares with the server. `LoadReport.late_ms`
says whether it kept up.

Latency is counted from the sending of the message that holds an event's last sample, so it holds
everything that a user waits for: the silence that ends a segment, inference, and the way back. All
streams end within the same moment, and then want the final of the segment they are in at once;
what they wait for those is counted by itself, and says nothing about so many live streams.
"""

import contextlib
import heapq
import json
import random
import resource
import selectors
import socket
import time
from array import array
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from streamer_client.connection import check_address, reason_in
from streamer_client.errors import CannotConnect, InvalidAddress, ServerError
from streamer_client.formats import AudioFormat
from streamer_client.frames import BINARY, CLOSE, PING, PONG, TEXT, FrameReader, frame, frames_of
from streamer_client.frames import upgrade as upgrade_request

CONNECT_TIMEOUT_S = 30.0
REASON_TIMEOUT_S = 2.0
MAX_REASON_BYTES = 4096
TICK_S = 0.001
"""Messages due within one tick go out together."""


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """What to play.

    Attributes:
        address: Of the server, `ws://host:port/path`.
        streams: How many at once.
        seconds: How long each plays.
        audio: PCM in `format`.
        format: One `start` says it for all.
        message_s: Length of a message.
        spread_s: The streams begin at random moments of so long.
        interim_results: Whether to ask for interims.
        token: Access token.
        patience_s: How long after the last message the results may take.
        seed: Of the places and moments at which the streams begin.
    """

    address: str
    streams: int
    seconds: float
    audio: bytes
    format: AudioFormat
    message_s: float = 0.02
    spread_s: float = 1.0
    interim_results: bool = False
    token: str | None = None
    patience_s: float = 60.0
    seed: int = 0


@dataclass(slots=True)
class LoadReport:
    """What the streams saw. Latencies in milliseconds."""

    final_ms: list[float] = field(default_factory=list)
    """From the sending of a segment's last speech to its `segment`, while the stream played."""
    settled_ms: list[float] = field(default_factory=list)
    """From `inactive` to `segment`, of the same."""
    closing_ms: list[float] = field(default_factory=list)
    """From the sending of `stop` to the `segment` that it brought, not silence."""
    active_ms: list[float] = field(default_factory=list)
    """From the sending of a segment's first speech to its `active`."""
    late_ms: list[float] = field(default_factory=list)
    """By how much each message was sent late; above 20 ms the generator is the bottleneck."""
    events: Counter[str] = field(default_factory=Counter)
    audio_s: float = 0.0
    inferred_s: float = 0.0
    """Audio in the segments, padding included."""
    unfinished: int = 0
    """Streams whose `stopped` did not come."""
    cpu_s: float = 0.0
    """Processor time of the generator itself."""

    @property
    def lost(self) -> int:
        """Segments begun and neither delivered nor reported as failed.

        On `/api/v1/simple` none is announced, and what is missing cannot be told.
        """
        if not self.events["active"]:
            return 0
        return self.events["active"] - self.events["segment"] - self.events["error"]


def generate(plan: LoadPlan, on_progress: Callable[[float], None] = lambda _: None) -> LoadReport:
    """Play all streams to their end.

    Args:
        plan: What to play.
        on_progress: Called now and then with the seconds that have passed.

    Raises:
        InvalidAddress: The address is not a `ws://` URL.
        CannotConnect: Nothing usable answers there.
        ServerError: The server refuses a stream.
    """
    check_address(plan.address)
    if urlsplit(plan.address).scheme != "ws":
        raise InvalidAddress(f"{plan.address}: the load generator speaks ws:// only")
    chance = random.Random(plan.seed)  # noqa: S311 – not for secrets
    message_bytes = plan.format.block_bytes(plan.message_s)
    if len(plan.audio) < message_bytes:
        raise ValueError(f"the audio is shorter than one message, {message_bytes} bytes")
    frames = memoryview(frames_of(plan.audio, message_bytes))
    size = len(frame(BINARY, bytes(message_bytes)))
    report = LoadReport()
    cpu_before = resource.getrusage(resource.RUSAGE_SELF)
    with selectors.DefaultSelector() as selector:
        streams = []
        try:
            for _ in range(plan.streams):
                at = chance.randrange(len(frames) // size) * size
                stream = _Stream(connect(plan), plan, report, frames, size, at)
                streams.append(stream)
                selector.register(stream.socket, selectors.EVENT_READ, stream)
            begin = time.perf_counter() + 0.05
            due = [(begin + chance.random() * plan.spread_s, i) for i in range(plan.streams)]
            _run(streams, due, selector, plan, lambda: on_progress(time.perf_counter() - begin))
        finally:
            for stream in streams:
                stream.socket.close()
    cpu = resource.getrusage(resource.RUSAGE_SELF)
    report.cpu_s = cpu.ru_utime + cpu.ru_stime - cpu_before.ru_utime - cpu_before.ru_stime
    report.unfinished = sum(not stream.stopped for stream in streams)
    return report


def _run(
    streams: list["_Stream"],
    due: list[tuple[float, int]],
    selector: selectors.BaseSelector,
    plan: LoadPlan,
    tick: Callable[[], None],
) -> None:
    """Send what is due and read what comes, until every stream has stopped."""
    clock = time.perf_counter
    heapq.heapify(due)
    messages = round(plan.seconds / plan.message_s)
    first = {index: moment for moment, index in due}
    told = give_up = 0.0
    while due or (any(not s.over for s in streams) and clock() < give_up):
        now = clock()
        while due and due[0][0] <= now + TICK_S / 2:
            moment, index = due[0]
            stream = streams[index]
            if stream.over or stream.sent == messages:
                heapq.heappop(due)
                stream.stop()
                give_up = now + plan.patience_s
                continue
            stream.send(now, moment)
            heapq.heapreplace(due, (first[index] + stream.sent * plan.message_s, index))
        wait = due[0][0] - clock() if due else 0.1
        for key, _ in selector.select(max(TICK_S, wait)):
            stream = key.data
            stream.receive()
            if stream.over:
                selector.unregister(stream.socket)
        if now - told > 0.5:
            told = now
            tick()


class _Stream:
    """One socket: its place in the audio, when each message was sent, and what came back."""

    def __init__(
        self,
        connected: tuple[socket.socket, bytes],
        plan: LoadPlan,
        report: LoadReport,
        frames: memoryview,
        frame_size: int,
        at: int,
    ) -> None:
        self.socket, early = connected
        self.sent = 0
        self.over = False
        self.stopped = False
        self._report = report
        self._frames = frames
        self._size = frame_size
        self._at = at
        self._unsent = b""
        self._message_s = plan.message_s
        self._moments = array("d")
        """When each message was sent."""
        self._speech: deque[tuple[float, float, float]] = deque()
        """When each ended segment's last speech was sent and its `inactive` came; its end in s."""
        self._stopped_s = 0.0
        """When `stop` was sent."""
        self._min_silence_s = 0.0
        self._reader = FrameReader()
        self._take(early)

    def send(self, now: float, due: float) -> None:
        """The next message; what the socket does not take waits for the one after."""
        self._write(bytes(self._frames[self._at : self._at + self._size]))
        self._at = (self._at + self._size) % len(self._frames)
        self.sent += 1
        self._moments.append(now)
        self._report.late_ms.append(max(0.0, 1000 * (now - due)))
        self._report.audio_s += self._message_s

    def stop(self) -> None:
        """No more audio; the server finishes and closes."""
        self._stopped_s = time.perf_counter()
        self.socket.settimeout(CONNECT_TIMEOUT_S)
        self._write(frame(TEXT, b'{"request":"stop","disconnect":true}'))
        self.socket.setblocking(False)

    def receive(self) -> None:
        """Whatever has arrived."""
        try:
            data = self.socket.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._take(data)
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

    def _take(self, data: bytes) -> None:
        now = time.perf_counter()
        for opcode, payload in self._reader.feed(data):
            if opcode == TEXT:
                self._hear(json.loads(payload), now)
            elif opcode == PING:
                self._write(frame(PONG, payload))
            elif opcode == CLOSE:
                self.over = True

    def _hear(self, event: dict[str, Any], now: float) -> None:
        kind = event["type"]
        self._report.events[kind] += 1
        if kind == "active":
            self._report.active_ms.append(1000 * (now - self._sent_at(event["time"])))
        elif kind == "inactive":
            self._speech.append((self._sent_at(event["time"]), now, event["time"]))
        elif "end_time" in event and kind != "interim" and self._speech:
            spoken, ended, end_s = self._speech.popleft()
            if kind == "segment":
                self._report.inferred_s += event["end_time"] - event["start_time"]
                if end_s + self._min_silence_s > self.sent * self._message_s:
                    self._report.closing_ms.append(1000 * (now - self._stopped_s))
                else:
                    self._report.final_ms.append(1000 * (now - spoken))
                    self._report.settled_ms.append(1000 * (now - ended))
        elif kind == "started":
            self._min_silence_s = (event.get("vad") or {}).get("min_silence_ms", 0) / 1000
        elif kind == "stopped":
            self.stopped = True

    def _sent_at(self, time_s: float) -> float:
        """When the sample before `time_s` was sent."""
        index = max(0, -int(-time_s // self._message_s) - 1)
        return self._moments[min(index, len(self._moments) - 1)]


def connect(plan: LoadPlan) -> tuple[socket.socket, bytes]:
    """A socket on which a stream has started, and what came with the answer.

    Raises:
        CannotConnect: Nothing usable answers there.
        ServerError: The server refuses the stream.
    """
    address = urlsplit(plan.address)
    try:
        connected = socket.create_connection(
            (address.hostname or "", address.port or 80), CONNECT_TIMEOUT_S
        )
        try:
            return connected, _start(connected, plan)
        except BaseException:
            connected.close()
            raise
    except OSError as error:
        raise CannotConnect(f"cannot connect to {plan.address}: {error}") from error


def _start(connected: socket.socket, plan: LoadPlan) -> bytes:
    """Begin a WebSocket and a stream on it; returns the frames that have come."""
    address = urlsplit(plan.address)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connected.sendall(upgrade_request(address.netloc, address.path or "/", plan.token))
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += _more(connected, plan)
    head, _, frames = answer.partition(b"\r\n\r\n")
    status = head.split(b"\r\n")[0].decode("latin-1")
    if " 101" not in status:
        reason = reason_in(_body(connected, frames))
        code = status.split()[1:2]
        raise CannotConnect(
            f"{plan.address} answered {status}{f': {reason}' if reason else ''}",
            status=int(code[0]) if code and code[0].isdecimal() else None,
        )
    request = {
        "request": "start",
        "format": {name: v for name, v in plan.format.settings().items() if v is not None},
        "interim_results": plan.interim_results,
    }
    connected.sendall(frame(TEXT, json.dumps(request).encode()))
    while not (found := list(FrameReader().feed(frames))):
        frames += _more(connected, plan)
    opcode, payload = found[0]
    event = json.loads(payload) if opcode == TEXT else {}
    if event.get("type") == "error":
        raise ServerError(event["code"], event["message"])
    connected.setblocking(False)
    return frames


def _body(connected: socket.socket, begun: bytes) -> bytes:
    """What follows the head of an answer, until it says why, or does not go on."""
    give_up_s = time.monotonic() + REASON_TIMEOUT_S
    with contextlib.suppress(OSError):
        while len(begun) < MAX_REASON_BYTES and reason_in(begun) is None:
            connected.settimeout(max(0.01, give_up_s - time.monotonic()))
            if not (data := connected.recv(MAX_REASON_BYTES)):
                break
            begun += data
    return begun


def _more(connected: socket.socket, plan: LoadPlan) -> bytes:
    if data := connected.recv(1 << 16):
        return data
    raise CannotConnect(f"{plan.address} closed the connection")
