"""The profile of the event loop: whose time is counted where."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.bench.loop_profile import Moment, stage_rows
from tools.bench.stage_clock import LOOP, NAMES, STAGES, StageClock, Totals, found

FRAMES, SENDING = NAMES.index("frames"), NAMES.index("sending")


class Time:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def pass_(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def totals(tmp_path: Path) -> Totals:
    return Totals(tmp_path / "totals")


@pytest.mark.parametrize("place", [place for places in STAGES.values() for place in places])
def test_each_function_of_a_stage_exists(place: str) -> None:
    _, function = found(place)
    assert callable(function)


def test_a_stage_has_not_the_time_of_a_stage_that_it_calls(time: Time, totals: Totals) -> None:
    clock = StageClock(totals, time)
    inner = clock.timed(SENDING, lambda: time.pass_(4))

    def call() -> str:
        time.pass_(1)
        inner()
        time.pass_(2)
        return "answer"

    time.pass_(8)
    assert clock.timed(FRAMES, call)() == "answer"
    time.pass_(16)
    clock.enter(0)
    spent = {name: seconds for name, (seconds, _) in totals.read().items() if seconds}
    assert spent == {LOOP: 24, "frames": 3, "sending": 4}


def test_a_stage_is_left_when_it_raises(time: Time, totals: Totals) -> None:
    clock = StageClock(totals, time)
    with pytest.raises(ZeroDivisionError):
        clock.timed(FRAMES, lambda: 1 / 0)()
    time.pass_(5)
    clock.enter(0)
    assert totals.read()[LOOP][0] == 5


async def test_a_task_is_counted_in_steps_and_not_while_it_waits(
    time: Time, totals: Totals
) -> None:
    clock = StageClock(totals, time)
    event = asyncio.Event()

    async def wait(pass_: Callable[[float], None]) -> str:
        pass_(1)
        await event.wait()
        pass_(2)
        return "answer"

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(clock.timed(SENDING, wait)(time.pass_))
        await asyncio.sleep(0)
        time.pass_(100)
        event.set()
    assert task.result() == "answer"
    assert await clock.timed(FRAMES, wait)(time.pass_) == "answer"
    read = totals.read()
    assert (read["sending"][0], read["frames"][0]) == (3, 3)


async def test_a_task_can_be_cancelled(time: Time, totals: Totals) -> None:
    clock = StageClock(totals, time)

    async def wait() -> None:
        try:
            await asyncio.sleep(1_000)
        finally:
            time.pass_(7)

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(clock.timed(SENDING, wait)())
        await asyncio.sleep(0)
        task.cancel()
    assert task.cancelled()
    assert totals.read()["sending"][0] == 7


def test_another_process_reads_the_same_totals(time: Time, totals: Totals, tmp_path: Path) -> None:
    clock = StageClock(totals, time)
    time.pass_(3)
    clock.enter(0)
    assert Totals(tmp_path / "totals").read()[LOOP][0] == 3


def test_rows_are_for_a_second_of_audio_and_without_the_clock_itself() -> None:
    def moment(at_s: float, seconds: float, entries: float) -> Moment:
        stages = dict.fromkeys(NAMES, (0.0, 0.0)) | {"frames": (seconds, entries)}
        return Moment(at_s, 0, 0, 0, 0, stages)

    rows = stage_rows(moment(2, 1, 1_000), moment(12, 3, 2_000), streams=20, entry_s=0.001)
    frames = next(row for row in rows if row["stage"] == "frames")
    assert frames == {
        "stage": "frames",
        "CPU ms per audio s": 5,
        "%": 100,
        "entries per audio s": 5,
    }
    sums = {row["stage"]: row["CPU ms per audio s"] for row in rows[-2:]}
    assert sums == {"all": 5, "the clock, taken off": 5}
