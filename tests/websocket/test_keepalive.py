"""Pings: who answers stays, who does not is closed, and who cannot be read is not blamed."""

import asyncio
import contextlib
from collections.abc import Callable

import pytest
from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import connect

from streamer.config.limits import LimitsConfig
from streamer.websocket.connection import websocket_class
from streamer.websocket.keepalive import Keepalive
from tests.websocket.in_loop import serving
from tests.websocket.in_memory import Wire, connected, until
from tools.harness.raw import BINARY, CLOSE, PING, PONG, TEXT, frame, parse_frames


class Times:
    """A loop's clock and timers, by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._timers: list[tuple[float, Callable[[], None], TimerByHand]] = []

    def time(self) -> float:
        return self.now_s

    def call_later(self, delay_s: float, call: Callable[[], None]) -> "TimerByHand":
        timer = TimerByHand()
        self._timers.append((self.now_s + delay_s, call, timer))
        return timer

    def advance(self, to_s: float) -> None:
        while True:
            self._timers = [timer for timer in self._timers if not timer[2].cancelled]
            due = [timer for timer in self._timers if timer[0] <= to_s]
            if not due:
                break
            first = min(due, key=lambda timer: timer[0])
            self._timers.remove(first)
            self.now_s = first[0]
            first[1]()
        self.now_s = to_s

    @property
    def running(self) -> int:
        return sum(not timer.cancelled for _, _, timer in self._timers)


class TimerByHand:
    cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Client:
    """What is sent to it, and what is made of it."""

    def __init__(self, interval_s: float | None, timeout_s: float | None) -> None:
        self.times = Times()
        self.pings: list[tuple[float, bytes]] = []
        self.timeouts: list[float] = []
        self.answered: list[float] = []
        self.read = True
        self.keepalive = Keepalive(
            interval_s,
            timeout_s,
            loop=self.times,  # type: ignore[arg-type]
            send_ping=lambda payload: self.pings.append((self.times.now_s, payload)),
            pongs_are_read=lambda: self.read,
            on_timeout=lambda: self.timeouts.append(self.times.now_s),
            on_probe_answered=lambda: self.answered.append(self.times.now_s),
        )
        self.keepalive.start()

    @property
    def pinged_at(self) -> list[float]:
        return [at_s for at_s, _ in self.pings]


def test_a_client_that_answers_is_pinged_at_each_interval() -> None:
    client = Client(10, 5)
    for seconds in range(10, 60, 10):
        client.times.advance(seconds + 2)  # the way there and back
        client.keepalive.on_pong(client.pings[-1][1])
    assert client.pinged_at == [10, 20, 30, 40, 50]
    assert client.timeouts == []
    assert len({payload for _, payload in client.pings}) == 5


def test_a_client_that_does_not_answer_is_reported_once() -> None:
    client = Client(10, 5)
    client.times.advance(100)
    assert (client.pinged_at, client.timeouts) == ([10], [15])
    assert client.times.running == 0


def test_pongs_that_answer_nothing_have_no_effect() -> None:
    client = Client(10, 5)
    client.keepalive.on_pong(b"")
    client.times.advance(10)
    for payload in (b"", b"none", client.pings[0][1] + b"x"):
        client.keepalive.on_pong(payload)
    client.times.advance(15)
    assert client.timeouts == [15]


def test_a_client_that_is_not_read_is_not_blamed() -> None:
    client = Client(10, 5)
    client.read = False
    client.times.advance(40)
    assert (client.pinged_at, client.timeouts) == ([10, 25, 40], [])
    client.read = True
    client.times.advance(45)
    assert client.timeouts == [45]


def test_an_answer_may_be_awaited_for_ever() -> None:
    client = Client(10, None)
    client.times.advance(35)
    client.keepalive.on_pong(client.pings[-1][1])
    client.times.advance(45)
    assert (client.pinged_at, client.timeouts) == ([10, 20, 30, 40], [])
    assert client.times.running == 1


@pytest.mark.parametrize("interval_s", [None, 0])
def test_there_may_be_no_pings(interval_s: float | None) -> None:
    client = Client(interval_s, 5)
    client.times.advance(1_000)
    assert client.pings == []


def test_no_ping_follows_the_end() -> None:
    client = Client(10, 5)
    client.times.advance(10)
    client.keepalive.stop()
    client.times.advance(100)
    assert (client.pinged_at, client.timeouts) == ([10], [])
    assert client.times.running == 0


# On a connection


# Probes


def test_the_answer_to_a_probe_is_reported_and_changes_nothing_else() -> None:
    client = Client(10, 5)
    client.times.advance(3)
    client.keepalive.probe()
    client.times.advance(4)
    client.keepalive.on_pong(client.pings[-1][1])
    client.keepalive.on_pong(client.pings[-1][1])
    assert client.answered == [4]
    client.times.advance(10)
    assert client.pinged_at == [3, 10]


def test_only_the_latest_probe_is_reported() -> None:
    client = Client(None, None)
    for _ in range(2):
        client.keepalive.probe()
    client.keepalive.on_pong(client.pings[0][1])
    client.keepalive.on_pong(b"none")
    assert client.answered == []
    client.keepalive.on_pong(client.pings[1][1])
    assert client.answered == [0]


def test_a_pong_answers_the_pings_before_its_own() -> None:
    """A client may answer the latest only (RFC 6455, section 5.5.3)."""
    client = Client(10, 5)
    client.times.advance(9)
    client.keepalive.probe()
    client.times.advance(10)
    client.keepalive.on_pong(client.pings[-1][1])  # of the keepalive
    assert client.answered == [10]
    client.times.advance(20)
    client.keepalive.probe()
    client.keepalive.on_pong(client.pings[-1][1])  # of the probe
    client.times.advance(26)
    assert (client.answered, client.timeouts) == ([10, 20], [])


def test_a_pong_does_not_answer_a_later_ping() -> None:
    client = Client(10, 5)
    client.times.advance(9)
    client.keepalive.probe()
    client.times.advance(10)
    client.keepalive.on_pong(client.pings[0][1])
    assert client.answered == [10]
    client.times.advance(15)
    assert client.timeouts == [15]
    later = Client(10, 5)
    later.times.advance(10)
    later.keepalive.probe()
    later.keepalive.on_pong(later.pings[0][1])
    assert later.answered == []


def test_after_the_end_no_probe_is_answered() -> None:
    client = Client(None, None)
    client.keepalive.probe()
    client.keepalive.stop()
    client.keepalive.on_pong(client.pings[0][1])
    assert client.answered == []


async def test_a_missing_pong_closes_the_connection() -> None:
    received: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] != "websocket.disconnect":
            pass
        received.append(message)

    _, wire = connected(app, ws_ping_interval=0.02, ws_ping_timeout=0.05)
    async with asyncio.timeout(10):
        while b"\x89" not in wire.written.partition(b"\r\n\r\n")[2]:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        ((_, payload),) = parse_frames(wire.written.partition(b"\r\n\r\n")[2])
        wire.arrive(frame(PONG, payload))
        while not wire.closed:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    sent = parse_frames(wire.written.partition(b"\r\n\r\n")[2])
    reason = b"keepalive ping timeout"
    assert [opcode for opcode, _ in sent] == [PING, PING, CLOSE]
    assert sent[-1] == (CLOSE, (1011).to_bytes(2) + reason)
    await asyncio.sleep(0)
    assert received == [{"type": "websocket.disconnect", "code": 1011, "reason": reason.decode()}]


async def test_a_client_that_answers_stays() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    pings = {"ws_ping_interval": 0.05, "ws_ping_timeout": 0.5}
    async with (
        serving(app, websocket_class(LimitsConfig()), lifespan="off", **pings) as port,
        connect(f"ws://127.0.0.1:{port}/", ping_interval=None) as client,
    ):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.5):
                await client.wait_closed()
        assert client.close_code is None


async def _never_answers(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


def _frames_of(wire: Wire) -> list[tuple[int, bytes]]:
    return parse_frames(wire.written.partition(b"\r\n\r\n")[2])


async def test_a_client_that_floods_is_not_blamed_until_it_stops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its pongs are behind its messages, or it is too busy with sending to answer."""
    monkeypatch.setattr("streamer.websocket.reading.FLOOD_S", 0.2)
    limits = LimitsConfig(max_messages_per_second=10)
    _, wire = connected(_never_answers, limits, ws_ping_interval=0.02, ws_ping_timeout=0.05)
    pings: list[bytes] = []
    async with asyncio.timeout(10):
        while len(pings) < 5:
            wire.arrive(frame(BINARY, b"7 bytes") * 20)
            await asyncio.sleep(0.005)
            sent = _frames_of(wire)
            assert all(opcode == PING for opcode, _ in sent)
            pings = [payload for _, payload in sent]
        while not wire.closed:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert _frames_of(wire)[-1][0] == CLOSE


async def test_a_client_that_keeps_the_limit_is_blamed_also_after_many_messages_at_once() -> None:
    """It goes on sending a small message now and then, and answers nothing."""
    _, wire = connected(_never_answers, LimitsConfig(), ws_ping_interval=0.02, ws_ping_timeout=0.05)
    await until(lambda: wire.written)
    wire.arrive(frame(TEXT, b"first") * 50)
    async with asyncio.timeout(10):
        while not wire.closed:
            wire.arrive(frame(TEXT, b"later"))
            await asyncio.sleep(0.005)
    assert _frames_of(wire)[-1][0] == CLOSE
