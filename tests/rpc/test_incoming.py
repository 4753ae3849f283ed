"""The reading side of a call: order, back-pressure, pace, and what stands for a pong."""

import asyncio
from typing import Any

import grpc.aio

from streamer.rpc.incoming import (
    BETWEEN_MESSAGES_S,
    DISCARD_S,
    LOOK_S,
    QUIET_S,
    IncomingMessages,
)
from streamer.websocket.signals import (
    PongNotice,
    SlowedNotice,
    TooLargeNotice,
    notice_of,
)
from tests.virtual_time import in_virtual_time


class Context:
    """What the library has for a call."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Any] = asyncio.Queue()
        self.read_count = 0

    async def read(self) -> Any:
        message = await self.queue.get()
        self.read_count += 1
        return message

    def arrive(self, *messages: Any) -> None:
        for message in messages:
            self.queue.put_nowait(message)


class Reading:
    """A call that is being read."""

    def __init__(self, max_per_second: int = 0) -> None:
        self.context = Context()
        self.loop = asyncio.get_running_loop()
        self.incoming = IncomingMessages(self.context, 100, max_per_second, self.loop)

    async def __aenter__(self) -> "Reading":
        self._tasks = await asyncio.TaskGroup().__aenter__()
        self._task = self._tasks.create_task(self.incoming.run())
        assert (await self.incoming.receive())["type"] == "websocket.connect"
        self.incoming.admit()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        self.incoming.stop()
        await self._tasks.__aexit__(None, None, None)


async def quiet() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@in_virtual_time
async def test_messages_come_in_order_and_then_the_end() -> None:
    async with Reading() as reading:
        reading.context.arrive(b"1", b"2", grpc.aio.EOF)
        received = [await reading.incoming.receive() for _ in range(3)]
    assert [m.get("bytes", m.get("text")) for m in received] == [b"1", b"2", ""]


@in_virtual_time
async def test_one_message_is_read_ahead_and_no_more() -> None:
    async with Reading() as reading:
        reading.context.arrive(*[b"x"] * 10)
        await quiet()
        assert reading.context.read_count == 1
        await reading.incoming.receive()
        await quiet()
        assert reading.context.read_count == 1, "it was taken, but is not processed yet"
        await reading.incoming.receive()
        assert reading.context.read_count == 2


@in_virtual_time
async def test_messages_are_delivered_while_the_application_waits_and_there_is_room() -> None:
    taken: list[bytes] = []

    def take(data: bytes) -> bool:
        if data == b"defect":
            raise ValueError(data)
        if len(taken) == 2:
            return False
        taken.append(data)
        return True

    async with Reading() as reading:
        reading.incoming.deliver_directly(take, joined=False)
        reading.context.arrive(b"1", b"2", b"3", b"defect")
        assert (await reading.incoming.receive())["bytes"] == b"3"
        assert taken == [b"1", b"2"]
        assert (await reading.incoming.receive())["bytes"] == b"defect"


@in_virtual_time
async def test_nothing_is_read_of_a_client_that_is_not_admitted() -> None:
    async with asyncio.TaskGroup() as tasks:
        context = Context()
        incoming = IncomingMessages(context, 100, 0, asyncio.get_running_loop())
        reading = tasks.create_task(incoming.run())
        context.arrive(b"1", b"2")
        await asyncio.sleep(10)
        assert context.read_count == 0
        await incoming.discard()
        assert context.read_count == 2, "it would not see the status while it sends"
        reading.cancel()


@in_virtual_time
async def test_behind_what_is_too_large_all_is_read_for_nothing() -> None:
    async with Reading() as reading:
        reading.context.arrive(bytes(101), b"later", bytes(102))
        notice = notice_of(await reading.incoming.receive())
        assert notice == TooLargeNotice("the message has 101 bytes; allowed: 100")
        await quiet()
        assert reading.context.read_count == 3
        reading.context.arrive(grpc.aio.EOF)
        assert (await reading.incoming.receive())["text"] == ""


@in_virtual_time
async def test_behind_the_end_there_is_no_pause() -> None:
    async with Reading() as reading:
        reading.incoming.ping()
        reading.context.arrive(grpc.aio.EOF)
        assert (await reading.incoming.receive())["text"] == ""
        await asyncio.sleep(10 * QUIET_S)
        assert not reading.incoming._timer or reading.incoming._timer.when() < 2 * QUIET_S


@in_virtual_time
async def test_faster_than_allowed_is_read_more_slowly() -> None:
    async with Reading(max_per_second=10) as reading:
        reading.context.arrive(*[b"x"] * 30)
        received = [await reading.incoming.receive() for _ in range(31)]
        assert round(reading.loop.time(), 3) == 1.9
    notices = [notice for message in received if (notice := notice_of(message))]
    assert notices == [SlowedNotice("limits.max_messages_per_second", 10)]


@in_virtual_time
async def test_a_quiet_while_is_a_pong() -> None:
    async with Reading() as reading:
        assert reading.incoming.ping()
        assert reading.incoming.ping(), "one answer is enough"
        assert notice_of(await reading.incoming.receive()) == PongNotice()
        assert reading.loop.time() == QUIET_S


@in_virtual_time
async def test_a_message_in_the_meantime_is_no_pong() -> None:
    async with Reading() as reading:
        reading.incoming.ping()
        reading.loop.call_later(0.5, reading.context.arrive, b"x")
        assert (await reading.incoming.receive())["bytes"] == b"x"
        reading.loop.call_later(9.0, reading.context.arrive, b"y")
        assert (await reading.incoming.receive())["bytes"] == b"y"
        reading.incoming.ping()
        assert notice_of(await reading.incoming.receive()) == PongNotice()
        assert reading.loop.time() == 9.5 + QUIET_S


@in_virtual_time
async def test_no_pong_while_messages_are_not_taken() -> None:
    async with Reading() as reading:
        reading.incoming.ping()
        await asyncio.sleep(0.2)
        reading.context.arrive(b"x")  # the application is not in `receive`
        await asyncio.sleep(5)
        assert (await reading.incoming.receive())["bytes"] == b"x"
        reading.loop.call_later(9.0, reading.context.arrive, b"y")
        assert (await reading.incoming.receive())["bytes"] == b"y"


@in_virtual_time
async def test_a_call_that_ends_reads_on_until_its_client_pauses() -> None:
    async with Reading() as reading:
        reading.context.arrive(*[b"x"] * 10)
        await quiet()
        begun_s = reading.loop.time()
        await reading.incoming.discard()
        assert reading.context.read_count == 10, "its client may send on, and is not interrupted"
        assert reading.loop.time() - begun_s <= 3 * BETWEEN_MESSAGES_S


@in_virtual_time
async def test_a_call_that_ends_does_not_wait_for_a_client_that_never_pauses() -> None:
    sent_s: list[float] = []
    async with Reading() as reading, asyncio.TaskGroup() as tasks:

        async def send_on() -> None:
            while True:
                sent_s.append(reading.loop.time())
                reading.context.arrive(b"x")
                await asyncio.sleep(0.02)

        sending = tasks.create_task(send_on())
        begun_s = reading.loop.time()
        await reading.incoming.discard()
        assert DISCARD_S <= reading.loop.time() - begun_s <= DISCARD_S + BETWEEN_MESSAGES_S
        assert reading.loop.time() - sent_s[-1] <= 2 * LOOK_S, "long before the next message"
        sending.cancel()


@in_virtual_time
async def test_a_call_whose_client_has_ended_ends_at_once() -> None:
    async with Reading() as reading:
        reading.context.arrive(grpc.aio.EOF)
        await reading.incoming.receive()
        await quiet()
        begun_s = reading.loop.time()
        await reading.incoming.discard()
        assert reading.loop.time() == begun_s


@in_virtual_time
async def test_a_call_that_is_refused_waits_for_its_first_message() -> None:
    async with Reading() as reading, asyncio.TaskGroup() as tasks:
        discarding = tasks.create_task(reading.incoming.discard())
        await asyncio.sleep(4 * BETWEEN_MESSAGES_S)
        assert not discarding.done()
        reading.context.arrive(b"x")
        await asyncio.sleep(3 * BETWEEN_MESSAGES_S)
        assert discarding.done()
