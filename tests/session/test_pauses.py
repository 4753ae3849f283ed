"""When a pause is asked for and reported; the clock is moved by hand, and the timers are real."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from streamer.audio.format import CONTAINER, AudioFormat
from streamer.session.pauses import PauseWatch

FORMAT = AudioFormat(16_000)
MESSAGE = 640
MESSAGE_S = 0.02


class Watched:
    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.pings = self.pauses = 0
        self.can_ping = True
        self.watch = PauseWatch(lambda: self.now_s, self._ping, self._pause)

    def _ping(self) -> bool:
        self.pings += self.can_ping
        return self.can_ping

    def _pause(self) -> None:
        self.pauses += 1

    def play(self, seconds: float) -> None:
        for _ in range(round(seconds / MESSAGE_S)):
            self.now_s += MESSAGE_S
            self.watch.on_audio(MESSAGE)

    def check(self) -> float | None:
        """As the task does when its timer fires."""
        return self.watch._check()

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.check()


@pytest.fixture
def live() -> Watched:
    watched = Watched()
    watched.watch.begin(FORMAT, 0.5)
    watched.play(2)
    return watched


def test_a_pause_is_reported_when_the_ping_is_answered(live: Watched) -> None:
    live.wait(0.4)
    assert live.pings == 0
    live.wait(1.0)
    assert (live.pings, live.pauses) == (1, 0)
    live.wait(10)
    assert (live.pings, live.pauses) == (1, 0), "it is asked once"
    live.watch.on_pong()
    live.watch.on_pong()
    live.wait(10)
    assert (live.pings, live.pauses) == (1, 1), "and reported once"


def test_after_audio_there_may_be_another_pause(live: Watched) -> None:
    for count in (1, 2, 3):
        live.wait(1.5)
        live.watch.on_pong()
        assert live.pauses == count
        live.play(0.5)


def test_audio_before_the_pong_was_only_late(live: Watched) -> None:
    live.wait(1.5)
    live.play(0.02)
    live.watch.on_pong()
    assert live.pauses == 0


def test_a_ping_that_cannot_be_sent_is_tried_again(live: Watched) -> None:
    live.can_ping = False
    live.now_s += 1.5
    again_s = live.check()
    assert again_s is not None
    live.can_ping = True
    live.wait(again_s)
    live.watch.on_pong()
    assert live.pauses == 1


def test_the_timer_is_right(live: Watched) -> None:
    """Checked at that time and not before, the pause is asked for."""
    while (wait_s := live.check()) is not None:
        assert live.pings == 0
        live.now_s += wait_s
    assert live.pings == 1


@pytest.mark.parametrize("how", ["ended", "not watched", "begun again", "not live"])
def test_what_is_not_watched(live: Watched, how: str) -> None:
    if how == "ended":
        live.watch.end()
    elif how == "not watched":
        live.watch.begin(FORMAT, None)
        live.play(2)
    elif how == "begun again":
        live.watch.begin_again()
    else:
        for _ in range(500):
            live.now_s += MESSAGE_S / 10
            live.watch.on_audio(MESSAGE)
    live.wait(5)
    live.watch.on_pong()
    assert (live.pings, live.pauses) == (0, 0)


def test_a_pong_after_the_end_of_the_stream(live: Watched) -> None:
    live.wait(1.5)
    live.watch.end()
    live.watch.on_pong()
    live.watch.begin_again()
    live.watch.on_pong()
    assert live.pauses == 0


@pytest.fixture
async def running() -> AsyncIterator[Watched]:
    watched = Watched()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(watched.watch.run())
        yield watched
        task.cancel()


async def test_the_task_sleeps_until_there_is_audio(running: Watched) -> None:
    await asyncio.sleep(0)
    running.watch.begin(FORMAT, 0.05)
    running.play(2)
    running.now_s += 5
    async with asyncio.timeout(10):
        while not running.pings:  # noqa: ASYNC110
            await asyncio.sleep(0)
    running.watch.on_pong()
    assert running.pauses == 1


@pytest.fixture
def recorder() -> Watched:
    """A client that sends a container: only the decoder knows how long the audio is."""
    watched = Watched()
    watched.watch.begin(CONTAINER, 0.5)
    for _ in range(20):
        watched.now_s += 0.1
        watched.watch.on_audio(400)
        watched.watch.on_decoded(0.1)
    return watched


def test_a_recorder_that_pauses(recorder: Watched) -> None:
    recorder.wait(0.4)
    assert recorder.pings == 0
    recorder.wait(1.0)
    recorder.watch.on_pong()
    assert (recorder.pings, recorder.pauses) == (1, 1)


def test_bytes_that_are_not_decoded_yet_are_no_pause(recorder: Watched) -> None:
    recorder.wait(1.4)
    recorder.watch.on_audio(400)
    recorder.watch.on_pong()
    assert (recorder.pings, recorder.pauses) == (1, 0)


def test_a_container_that_is_decoded_faster_than_in_real_time_has_no_pauses() -> None:
    watched = Watched()
    watched.watch.begin(CONTAINER, 0.5)
    for _ in range(20):
        watched.now_s += 0.1
        watched.watch.on_audio(400)
        watched.watch.on_decoded(3.0)
    watched.wait(10)
    assert watched.pings == 0


def test_what_an_earlier_container_had_left_is_no_raw_audio(live: Watched) -> None:
    live.watch.on_decoded(100.0)
    live.wait(1.4)
    assert live.pings == 1
