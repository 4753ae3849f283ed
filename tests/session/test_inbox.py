"""What waits between the socket and the pipeline: in order, in blocks, bounded."""

import asyncio
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.session.inbox import ACTION_BYTES, BLOCK_BYTES, Inbox
from streamer.vad.batching import STREAMS_PER_BATCH, BatchInvitations

COMMAND = ACTION_BYTES
MESSAGE = ACTION_BYTES // 8
"""What an action, and a message of audio besides its bytes, counts as."""


class Clock:
    """Says what it is told."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def new(max_bytes: int, clock: Clock | None = None) -> Inbox[str]:
    return Inbox[str](max_bytes, clock or Clock())


async def waits(task: "asyncio.Task[object]") -> bool:
    for _ in range(5):
        await asyncio.sleep(0)
    return not task.done()


async def test_audio_and_actions_keep_their_order_and_neighbours_become_one_block() -> None:
    inbox = new(10_000)
    inbox.put_audio(b"ab")
    inbox.put_audio(b"c")
    inbox.put("flush")
    inbox.put("stop")
    inbox.put_audio(b"d")
    assert [await inbox.get() for _ in range(4)] == [b"abc", "flush", "stop", b"d"]


async def test_what_was_taken_is_not_given_again() -> None:
    inbox = new(1_000)
    inbox.put_audio(b"a")
    assert await inbox.get() == b"a"
    inbox.put_audio(b"b")
    assert await inbox.get() == b"b"


@pytest.mark.parametrize("kind", ["audio", "action"])
async def test_get_waits_for_the_next(kind: str) -> None:
    inbox = new(1_000)
    async with asyncio.TaskGroup() as tasks:
        got = tasks.create_task(inbox.get())
        assert await waits(got)
        if kind == "audio":
            inbox.put_audio(b"a")
        else:
            inbox.put("flush")
    assert got.result() == (b"a" if kind == "audio" else "flush")


async def test_there_is_no_room_while_the_limit_is_reached() -> None:
    inbox = new(COMMAND + 2 * (MESSAGE + 5))
    inbox.put_audio(b"12345")
    inbox.put("flush")
    await inbox.wait_for_room()
    inbox.put_audio(b"67890")
    async with asyncio.TaskGroup() as tasks:
        roomy = tasks.create_task(inbox.wait_for_room())
        assert await waits(roomy)
        inbox.put_audio(b"more")
        assert await inbox.get() == b"12345"
        assert not await waits(roomy)
    assert [await inbox.get(), await inbox.get()] == ["flush", b"67890more"]


async def test_exactly_the_limit_is_no_room() -> None:
    inbox = new(COMMAND + MESSAGE + 10)
    inbox.put("flush")
    inbox.put_audio(b"2" * 10)
    async with asyncio.TaskGroup() as tasks:
        roomy = tasks.create_task(inbox.wait_for_room())
        assert await waits(roomy)
        assert [await inbox.get(), await inbox.get()] == ["flush", b"2" * 10]


async def test_actions_are_bounded_too() -> None:
    inbox = new(3 * COMMAND)
    for _ in range(3):
        inbox.put("flush")
    async with asyncio.TaskGroup() as tasks:
        roomy = tasks.create_task(inbox.wait_for_room())
        assert await waits(roomy)
        await inbox.get()


async def test_an_action_takes_as_much_room_as_its_frame() -> None:
    inbox = new(10_000)
    inbox.put("configure", 10_000 - 2 * COMMAND)
    await inbox.wait_for_room()
    inbox.put("flush")
    assert (inbox.full, inbox.held_bytes()) == (True, 10_000)
    assert [await inbox.get(), inbox.held_bytes()] == ["configure", COMMAND]
    assert [await inbox.get(), inbox.held_bytes()] == ["flush", 0]


async def test_it_is_idle_while_it_is_waited_for() -> None:
    clock = Clock()
    inbox = new(1_000, clock)
    idle = [inbox.idle_since_s]
    async with asyncio.TaskGroup() as tasks:
        clock.now_s = 7.0
        got = tasks.create_task(inbox.get())
        assert await waits(got)
        clock.now_s = 8.0
        idle.append(inbox.idle_since_s)
        inbox.put("stop")
    assert [*idle, inbox.idle_since_s] == [None, 7.0, None]


async def test_the_oldest_audio_waits_until_the_next_is_asked_for() -> None:
    clock = Clock()
    inbox = new(1_000_000, clock)
    inbox.put("start")
    oldest = [inbox.oldest_s]
    for clock.now_s in (1.0, 2.0):
        inbox.put_audio(bytes(BLOCK_BYTES))
    inbox.put("stop")
    for _ in range(4):
        oldest.append(inbox.oldest_s)
        await inbox.get()
    assert [*oldest, inbox.oldest_s] == [None, 1.0, 1.0, 1.0, 2.0, None]


async def test_a_block_is_not_much_longer_than_it_may_be() -> None:
    inbox = new(1_000_000)
    for _ in range(5):
        inbox.put_audio(bytes(BLOCK_BYTES // 2 + 1))
    sizes = [len(await inbox.get()) for _ in range(3)]
    assert sizes == [BLOCK_BYTES + 2, BLOCK_BYTES + 2, BLOCK_BYTES // 2 + 1]


items = st.binary(min_size=1, max_size=8) | st.sampled_from(["flush", "stop"])


@given(st.lists(items, max_size=30), st.integers(1, 3_000), st.integers(0, 3))
def test_nothing_is_lost_however_fast_it_is_taken(
    sent: list[bytes | str], limit: int, pause: int
) -> None:
    asyncio.run(_carry(sent, limit, pause))


async def _carry(sent: list[bytes | str], limit: int, pause: int) -> None:
    inbox = new(limit)
    waiting = most_waiting = 0

    async def fill() -> None:
        nonlocal waiting, most_waiting
        for item in sent:
            await inbox.wait_for_room()
            if isinstance(item, str):
                inbox.put(item)
            else:
                inbox.put_audio(item)
                waiting += len(item) + MESSAGE
                most_waiting = max(most_waiting, waiting)
        inbox.put("end")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(fill())
        got: list[bytes | str] = []
        while (item := await inbox.get()) != "end":
            got.append(item)
            if isinstance(item, bytes):
                waiting = 0
            for _ in range(pause):
                await asyncio.sleep(0)
    assert split(got) == split(sent)
    assert most_waiting < limit + MESSAGE + 8  # one message more than the limit at most


def split(items: list[bytes | str]) -> list[int | str]:
    """Audio byte by byte, so that only the order counts."""
    parts: list[int | str] = []
    for item in items:
        parts += [item] if isinstance(item, str) else list(item)
    return parts


async def test_less_audio_than_is_wanted_waits_for_more() -> None:
    inbox = new(1_000)
    inbox.put_audio(b"ab")
    async with asyncio.TaskGroup() as tasks:
        got = tasks.create_task(inbox.get(4))
        assert await waits(got)
        inbox.put_audio(b"c")
        assert await waits(got)
        inbox.put_audio(b"de")
    assert got.result() == b"abcde"


async def test_an_action_brings_out_what_audio_there_is() -> None:
    inbox = new(1_000)
    inbox.put_audio(b"ab")
    async with asyncio.TaskGroup() as tasks:
        got = tasks.create_task(inbox.get(4))
        assert await waits(got)
        inbox.put("flush")
    assert [got.result(), await inbox.get(4)] == [b"ab", "flush"]


async def test_more_than_there_is_room_for_is_not_waited_for() -> None:
    inbox = new(MESSAGE + 5)
    async with asyncio.TaskGroup() as tasks:
        got = tasks.create_task(inbox.get(1_000_000))
        assert await waits(got)
        inbox.put_audio(b"1" * 4)
        assert await waits(got)
        inbox.put_audio(b"2")
    assert got.result() == b"11112"
    assert not inbox.full


@pytest.mark.parametrize("last", ["audio", "action"])
async def test_what_is_not_sufficient_awaits_audio(last: str) -> None:
    inbox = new(1_000)
    found = [inbox.awaits_audio]  # nobody waits for it
    async with asyncio.TaskGroup() as tasks:
        got = tasks.create_task(inbox.get(4))
        assert await waits(got)
        found.append(inbox.awaits_audio)
        inbox.put_audio(b"ab")
        found.append(inbox.awaits_audio)
        if last == "audio":
            inbox.put_audio(b"cd")
        else:
            inbox.put("flush")
        found.append(inbox.awaits_audio)  # although it is not taken yet
        await got
        found.append(inbox.awaits_audio)
    assert found == [False, True, True, False, False]


async def test_audio_that_waits_for_more_is_not_behind() -> None:
    """A client that pauses in the middle of a window keeps the server waiting, not the reverse."""
    clock = Clock()
    inbox = new(1_000, clock)
    inbox.put_audio(b"ab")
    async with asyncio.TaskGroup() as tasks:
        got = tasks.create_task(inbox.get(4))
        assert await waits(got)
        clock.now_s = 60.0
        assert inbox.oldest_s is None
        assert inbox.idle_since_s == 0.0
        inbox.put("stop")
    assert inbox.idle_since_s is None


async def test_audio_has_arrived_when_there_is_enough_of_it() -> None:
    clock = Clock()
    inbox = new(10_000, clock)
    async with asyncio.TaskGroup() as tasks:
        got = tasks.create_task(inbox.get(least_bytes=3))
        assert await waits(got)
        for clock.now_s, audio in ((1.0, b"a"), (2.0, b"b"), (3.0, b"c"), (4.0, b"d")):
            inbox.put_audio(audio)
        clock.now_s = 5.0
        assert await got == b"abcd"
    assert (inbox.arrived_s, inbox.oldest_s) == (3.0, 3.0)
    inbox.put_audio(b"e")
    clock.now_s = 6.0
    inbox.put("stop")
    clock.now_s = 7.0
    assert await inbox.get(least_bytes=3) == b"e"
    assert (inbox.arrived_s, inbox.oldest_s) == (5.0, 5.0)


async def test_what_is_enough_is_decided_by_what_is_wanted_now() -> None:
    clock = Clock()
    inbox = new(10_000, clock)
    inbox.put_audio(b"a")  # enough for the get before
    clock.now_s = 2.0
    async with asyncio.TaskGroup() as tasks:
        got = tasks.create_task(inbox.get(least_bytes=2))
        assert await waits(got)
        clock.now_s = 3.0
        inbox.put_audio(b"b")
        assert await got == b"ab"
    assert inbox.arrived_s == 3.0
    for clock.now_s, audio in ((4.0, b"c"), (5.0, b"d"), (6.0, b"e")):
        inbox.put_audio(audio)
    clock.now_s = 7.0
    assert await inbox.get(least_bytes=1) == b"cde"
    assert inbox.arrived_s == 5.0, "there was enough for the get before"


async def test_what_is_enough_to_join_is_taken_when_invited() -> None:
    invitations = BatchInvitations()
    inbox = Inbox[str](10_000, Clock(), invitations)
    async with asyncio.TaskGroup() as tasks:
        got = tasks.create_task(inbox.get(6, 3))
        assert await waits(got)
        inbox.put_audio(b"ab")
        invitations.invite_oldest()
        assert await waits(got)
        inbox.put_audio(b"c")
        assert await waits(got)
        invitations.invite_oldest()
        assert not await waits(got)
        inbox.put_audio(b"d")
    assert got.result() == b"abc"
    # What there was before anybody waited counts as well, and what was wanted before does not.
    inbox.put_audio(b"ef")
    async with asyncio.TaskGroup() as tasks:
        got = tasks.create_task(inbox.get(6, 3))
        assert await waits(got)
        invitations.invite_oldest()
    assert got.result() == b"def"


@pytest.mark.parametrize("joinable_bytes", [None, 3])
async def test_no_invitation_is_accepted_that_is_not_waited_for(
    joinable_bytes: int | None,
) -> None:
    invitations = BatchInvitations()
    inbox = Inbox[str](10_000, Clock(), invitations)
    async with asyncio.TaskGroup() as tasks:
        got = tasks.create_task(inbox.get(6, joinable_bytes))
        assert await waits(got)
        inbox.put_audio(b"abcde")
        inbox.put("flush")
    assert got.result() == b"abcde"
    inbox.put_audio(b"xyz")  # nobody waits for it
    invitations.invite_oldest()
    assert await inbox.get() == "flush"
    async with asyncio.TaskGroup() as tasks:
        got = tasks.create_task(inbox.get(6))
        assert await waits(got)
        invitations.invite_oldest()
        assert await waits(got)
        inbox.put("stop")
    assert got.result() == b"xyz"


async def test_one_who_is_gone_is_not_invited() -> None:
    invitations = BatchInvitations()
    inbox = Inbox[str](10_000, Clock(), invitations)
    async with asyncio.TaskGroup() as tasks:
        got = tasks.create_task(inbox.get(6, 1))
        inbox.put_audio(b"a")
        assert await waits(got)
        inbox.put_audio(b"b")
        got.cancel()
    invitations.invite_oldest()
    assert await inbox.get() == b"ab"


async def test_what_joined_changes_nothing_about_when_the_next_had_arrived() -> None:
    clock, invitations = Clock(), BatchInvitations()
    inbox = Inbox[str](10_000, clock, invitations)
    async with asyncio.TaskGroup() as tasks:
        got = tasks.create_task(inbox.get(6, 3))
        assert await waits(got)
        inbox.put_audio(b"abc")
        invitations.invite_oldest()
    for clock.now_s, audio in ((1.0, b"d"), (5.0, b"efghij")):
        inbox.put_audio(audio)
    assert (await inbox.get(6), inbox.arrived_s) == (b"defghij", 5.0)


def test_those_who_have_waited_longest_are_woken_first_and_not_all_at_once() -> None:
    invitations, woken = BatchInvitations(), list[int]()
    callbacks = [partial(woken.append, number) for number in range(STREAMS_PER_BATCH + 3)]
    for wake in [*callbacks, *callbacks[:2]]:  # registering twice changes nothing
        invitations.register(wake)
    invitations.unregister(callbacks[1])
    invitations.unregister(callbacks[1])
    invitations.invite_oldest()
    assert woken == [0, *range(2, STREAMS_PER_BATCH + 1)]
    invitations.invite_oldest()
    invitations.invite_oldest()
    assert woken == [0, *range(2, STREAMS_PER_BATCH + 3)]


async def test_a_byte_of_a_container_counts_as_the_audio_that_it_stands_for() -> None:
    inbox = new(10_000)
    inbox.weight = 16
    inbox.put_audio(bytes(500))
    assert inbox.held_bytes() == 16 * 500 + MESSAGE
    inbox.weight = 1  # a stream of raw samples begins behind it
    inbox.put_audio(bytes(100))
    assert inbox.held_bytes() == 16 * 500 + 100 + 2 * MESSAGE
    assert not inbox.full
    await inbox.get()
    assert inbox.held_bytes() == 0


async def test_minutes_of_audio_in_one_message_have_not_waited_for_minutes() -> None:
    clock = Clock()
    inbox = new(10_000, clock)
    inbox.put_audio(b"a minute")
    await inbox.get()
    clock.now_s = 5.0
    inbox.progressed(4.0)
    assert inbox.oldest_s == 4.0
    clock.now_s = 6.0
    inbox.progressed(30.0)
    assert inbox.oldest_s == 34.0
    inbox.put_audio(b"more")
    await inbox.get()
    assert inbox.oldest_s == 6.0
