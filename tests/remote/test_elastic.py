"""The number of remote workers follows a load that lasts, with a clock of its own."""

import itertools
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from streamer.inference.elastic import (
    GROW_AFTER_S,
    GROW_DELAY_S,
    SHRINK_AFTER_S,
    Elastic,
    Load,
    fallback_workers,
)

BUSY, IDLE = 2 * GROW_DELAY_S, 0.0


class Simulation:
    """A second at a time; all workers that are wanted come at once unless told otherwise."""

    def __init__(self, least: int, most: int, wanted: int) -> None:
        self.elastic = Elastic(least, most, wanted)
        self.now_s = 1_000.0

    def run(
        self,
        seconds: float,
        delay_s: float,
        *,
        busy: Callable[[int], float] = lambda workers: workers,
        waiting: int = 0,
    ) -> list[int]:
        """What is wanted after each second."""
        wanted = []
        for _ in range(round(seconds)):
            self.now_s += 1
            alive = self.elastic.wanted - waiting
            load = Load(delay_s, round(busy(1 + alive)), 1, alive, waiting)
            wanted.append(self.elastic.update(self.now_s, load))
        return wanted


def test_a_delay_that_lasts_brings_more_workers_up_to_the_most() -> None:
    simulation = Simulation(1, 12, 1)
    wanted = simulation.run(60, BUSY)
    assert wanted == sorted(wanted)
    assert wanted[int(GROW_AFTER_S) - 1] == 1
    assert wanted[-1] == 12


def test_it_grows_by_a_share_so_that_many_come_soon() -> None:
    wanted = Simulation(1, 400, 100).run(GROW_AFTER_S + 1, BUSY)
    assert wanted[-1] == 125


def test_a_burst_brings_none() -> None:
    simulation = Simulation(1, 12, 2)
    for _ in range(100):
        assert set(simulation.run(GROW_AFTER_S - 1, BUSY)) == {2}
        assert set(simulation.run(1, IDLE)) == {2}


def test_no_more_are_asked_for_while_as_many_wait_as_there_are() -> None:
    """A machine takes a minute to come, in which the delay stays."""
    simulation = Simulation(1, 100, 4)
    assert set(simulation.run(300, BUSY, waiting=2)) == {4}
    assert simulation.run(1, BUSY, waiting=1) == [5]


def test_idle_workers_go_one_after_another_down_to_the_least() -> None:
    simulation = Simulation(2, 12, 6)
    wanted = simulation.run(20 * SHRINK_AFTER_S, IDLE, busy=lambda _: 1)
    assert wanted == sorted(wanted, reverse=True)
    assert wanted[int(SHRINK_AFTER_S) - 1] == 6
    assert wanted[-1] == 2
    changes = [second for second in range(1, len(wanted)) if wanted[second] != wanted[second - 1]]
    assert min(b - a for a, b in itertools.pairwise(changes)) >= SHRINK_AFTER_S


def test_busy_workers_stay_although_nothing_waits() -> None:
    simulation = Simulation(1, 12, 6)
    assert set(simulation.run(10 * SHRINK_AFTER_S, IDLE, busy=lambda n: 0.9 * n)) == {6}


def test_a_load_that_comes_and_goes_every_minute_moves_nothing_back_and_forth() -> None:
    simulation = Simulation(1, 12, 2)
    wanted = []
    for _ in range(30):
        wanted += simulation.run(20, BUSY)
        wanted += simulation.run(40, IDLE, busy=lambda _: 0)
    assert wanted == sorted(wanted), "never fewer in between"


@given(
    st.integers(0, 5),
    st.integers(0, 20),
    st.data(),
)
def test_the_number_stays_within_its_limits(least: int, more: int, data: st.DataObject) -> None:
    most = max(1, least + more)
    elastic = Elastic(least, most, data.draw(st.integers(least, most)))
    now_s = 0.0
    before = elastic.wanted
    for _ in range(data.draw(st.integers(0, 60))):
        now_s += data.draw(st.floats(0.01, 200))
        load = Load(
            data.draw(st.sampled_from((0.0, GROW_DELAY_S, 1.0, 30.0))),
            data.draw(st.integers(0, 30)),
            data.draw(st.integers(0, 4)),
            data.draw(st.integers(0, 25)),
            data.draw(st.integers(0, 25)),
        )
        wanted = elastic.update(now_s, load)
        assert least <= wanted <= most
        if load.delay_s > GROW_DELAY_S:
            assert wanted >= before
        else:
            assert before - 1 <= wanted <= before
        before = wanted


def test_local_workers_stand_in_for_a_cluster_that_is_gone_and_not_for_machines_to_come() -> None:
    def stand_in(**remote: int) -> int:
        return fallback_workers(2, **{"unavailable": 0, "waiting": 0, "others_alive": 1, **remote})

    assert stand_in() == 0
    assert stand_in(unavailable=1) == 1
    assert stand_in(unavailable=8) == 2
    assert stand_in(waiting=8) == 0
    assert stand_in(waiting=8, others_alive=0) == 2
    assert fallback_workers(0, unavailable=8, waiting=0, others_alive=0) == 0
