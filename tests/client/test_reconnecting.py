"""What is sent again, when, and what is told, as pure rules."""

import asyncio
import json
from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer_client.errors import (
    AudioFileError,
    CannotConnect,
    ConnectionLost,
    ServerError,
    ServerGoingAway,
    StreamerError,
    Unauthorized,
)
from streamer_client.events import Event, Word
from streamer_client.formats import AudioFormat
from streamer_client.reconnect import delay_s, may_pass
from streamer_client.source_timeline import ANNOUNCED_WITHIN_S, LEAD_S, SourceTimeline
from streamer_client.supply import ReplayBuffer, RewindableSupply


@pytest.mark.parametrize(
    ("error", "hope"),
    [
        (ServerGoingAway(""), True),
        (ConnectionLost("", close_code=1006), True),
        (ConnectionLost("", close_code=1011), True),
        (ServerError("overloaded", ""), True),
        (ServerError("internal_error", ""), True),
        (ServerError("session_too_long", ""), True),
        (CannotConnect(""), True),
        (CannotConnect("", status=503), True),
        (CannotConnect("", status=404), False),
        (ServerError("idle_timeout", ""), False),
        (ServerError("bad_format", ""), False),
        (ServerError("too_large", ""), False),
        (ServerError("policy", ""), False),
        (Unauthorized(""), False),
        (AudioFileError(""), False),
    ],
)
def test_what_may_pass(error: StreamerError, hope: bool) -> None:
    assert may_pass(error) is hope


def test_pauses_grow_up_to_a_limit_and_differ() -> None:
    assert [delay_s(n, None, 1.0) for n in range(1, 6)] == [0.5, 1, 2, 4, 8]
    assert [delay_s(n, None, 1.0) for n in (7, 8, 10_000)] == [30, 30, 30]
    assert delay_s(3, None, 0.0) == 1
    assert delay_s(1, 7.0, 0.0) == 7
    assert delay_s(1, 7.0, 1.0) == 8.75


def event(kind: str, **fields: object) -> Event:
    return Event(kind, {"type": kind, **fields}, "")


def started(*, segmented: bool = True) -> Event:
    return event("started", vad={} if segmented else None)


def result(start_s: float, end_s: float, channel: int = 0) -> Event:
    return event("segment", start_time=start_s, end_time=end_s, channel=channel)


def active(time_s: float, channel: int = 0) -> Event:
    return event("active", time=time_s, channel=channel)


def test_a_server_that_stopped_says_what_it_had() -> None:
    timeline = SourceTimeline(1)
    timeline.begin(10.0)
    timeline.place(active(1.0))
    timeline.place(event("stopped", audio_seconds=2.5))
    assert timeline.unanswered_s(20.0, live=True) == 12.5


def test_owed_speech_is_sent_again_from_before_its_beginning() -> None:
    timeline = SourceTimeline(1)
    timeline.place(started())
    timeline.place(active(1.0))
    timeline.place(result(0.8, 2.0))
    assert timeline.unanswered_s(2.5, live=False) == 2.0
    timeline.place(active(4.0))
    timeline.place(event("interim", start_time=3.8, end_time=5.0, channel=0))
    assert timeline.unanswered_s(9.0, live=False) == 4.0 - LEAD_S
    timeline.place(event("error", start_time=3.8, end_time=6.0, channel=0))
    assert timeline.unanswered_s(9.0, live=False) == 6.0


def test_silence_was_heard_when_it_was_live() -> None:
    timeline = SourceTimeline(1)
    timeline.place(started())
    timeline.place(result(0.0, 2.0))
    assert timeline.unanswered_s(100.0, live=True) == 100.0 - ANNOUNCED_WITHIN_S
    assert timeline.unanswered_s(100.0, live=False) == 2.0


def test_equal_chunks_go_on_where_the_slowest_channel_is_and_none_is_told_twice() -> None:
    timeline = SourceTimeline(2)
    timeline.place(started(segmented=False))
    assert timeline.unanswered_s(9.0, live=False) == 0.0
    for end_s in (1.0, 2.0, 3.0):
        timeline.place(result(end_s - 1, end_s, channel=0))
    timeline.place(result(0.0, 1.0, channel=1))
    assert timeline.unanswered_s(9.0, live=True) == 1.0
    timeline.begin(1.0)
    placed = [
        (channel, again is not None and (again.start_time, again.end_time))
        for channel in (0, 1)
        for end_s in (1.0, 2.0, 3.0)
        for again in [timeline.place(result(end_s - 1, end_s, channel))]
    ]
    told = [(channel, times) for channel, times in placed if times]
    assert told == [(0, (3.0, 4.0)), (1, (1.0, 2.0)), (1, (2.0, 3.0)), (1, (3.0, 4.0))]


def test_moved_events_are_written_as_they_are_placed() -> None:
    timeline = SourceTimeline(1)
    timeline.begin(100.0)
    moved = timeline.place(event("segment", start_time=0.1, end_time=0.3, channel=0, text="ü"))
    assert moved is not None
    assert moved.raw == (
        '{"type": "segment", "start_time": 100.1, "end_time": 100.3, "channel": 0, "text": "ü"}'
    )


def test_words_move_with_their_segment() -> None:
    word = {"text": "yes", "start_time": 0.1, "end_time": 0.25, "confidence": 0.5}
    segment = event("segment", start_time=0.0, end_time=0.5, channel=0, words=[word, word])
    timeline = SourceTimeline(1)
    assert timeline.place(segment) is segment
    timeline.begin(100.0)
    moved = timeline.place(segment)
    assert moved is not None
    assert moved.words == (Word("yes", 100.1, 100.25, 0.5),) * 2
    assert json.loads(moved.raw)["words"][1]["end_time"] == 100.25


@pytest.mark.parametrize("words", [["yes"], "yes", 3, [{"text": "yes"}], None])
def test_a_models_own_field_of_the_name_stays_as_it_is(words: object) -> None:
    timeline = SourceTimeline(1)
    timeline.begin(100.0)
    moved = timeline.place(event("segment", start_time=0.0, end_time=0.5, channel=0, words=words))
    assert moved is not None
    assert moved.words == ()
    assert moved.fields["words"] == words


class Numbers:
    """A source of the bytes 0 to 99, one a second."""

    format = AudioFormat(1, 1, 8)
    duration_s = None
    replayable = False

    def __init__(self, *, live: bool = False) -> None:
        self.live = live
        self.warnings: list[str] = []
        self.given = 0

    async def chunks(self, size_bytes: int) -> AsyncGenerator[bytes, None]:
        for first in range(0, 100, size_bytes):
            self.given = first + size_bytes
            yield bytes(range(first, first + size_bytes))


async def settled() -> None:
    for _ in range(300):
        await asyncio.sleep(0)


@pytest.mark.parametrize("position", [0, 5, 30, 33, 100])
async def test_a_recording_can_be_taken_again_from_anywhere(position: int) -> None:
    supply = RewindableSupply(Numbers(), 10)
    for _ in range(5):
        await supply.take()
    supply.rewind(position)
    taken = b""
    while chunk := await supply.take():
        taken += chunk
        assert supply.position_bytes == taken[-1] + 1
    assert taken == bytes(range(position, 100))


async def test_a_source_that_can_wait_is_made_to_wait() -> None:
    source = Numbers()
    tape = ReplayBuffer(source, 10, keep_s=30)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(tape.fill())
        tape.set_offline(True)
        await settled()
        assert source.given == 40
        assert await tape.take() == bytes(range(10))
        tape.rewind(0)
        tape.set_offline(False)
        taken = b""
        while chunk := await tape.take():
            taken += chunk
    assert taken == bytes(range(100))


async def test_a_live_source_goes_on_and_the_oldest_is_given_up() -> None:
    source = Numbers(live=True)
    tape = ReplayBuffer(source, 10, keep_s=30)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(tape.fill())
        assert await tape.take() == bytes(range(10))
        tape.set_offline(True)
        await settled()
        assert source.given == 100
        tape.rewind(5)
        assert tape.position_bytes == 70
        tape.set_offline(False)
        assert await tape.take() == bytes(range(70, 80))


async def test_while_somebody_listens_nothing_unsent_is_given_up() -> None:
    tape = ReplayBuffer(Numbers(live=True), 10, keep_s=30)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(tape.fill())
        await settled()
        taken = b""
        while chunk := await tape.take():
            taken += chunk
        tape.rewind(0)
    assert taken == bytes(range(100))
    assert tape.position_bytes == 70


steps = st.lists(
    st.sampled_from(["take", "offline", "online", "wait"]) | st.integers(0, 100),
    max_size=40,
)


@given(steps, st.booleans(), st.integers(10, 60))
async def test_whatever_happens_the_audio_is_that_of_its_position(
    steps: list[str | int], live: bool, keep_s: int
) -> None:
    tape = ReplayBuffer(Numbers(live=live), 10, keep_s)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(tape.fill())
        for step in steps:
            match step:
                case "take":
                    chunk = await tape.take()
                    end = tape.position_bytes
                    assert chunk == bytes(range(end - len(chunk), end))
                    assert chunk or end == 100
                case "offline" | "online":
                    tape.set_offline(step == "offline")
                case "wait":
                    await settled()
                case int():
                    asked = min(step, tape.position_bytes)
                    tape.rewind(asked)
                    assert tape.position_bytes >= asked
                    if tape.position_bytes > asked:
                        assert tape.position_bytes <= 100 - keep_s
        tape.set_offline(False)
        while await tape.take():
            pass
    assert tape.position_bytes == 100
