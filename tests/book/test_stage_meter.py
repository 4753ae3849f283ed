"""Check of the exercise `stage_meter`."""

from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("stage_meter")


class Reports(list[tuple[float, float]]):
    """Remembers, and raises if it is told to."""

    failing = False

    def __call__(self, processing_s: float, audio_s: float) -> None:
        self.append((processing_s, audio_s))
        if self.failing:
            raise ValueError("a defect of the monitor")


def test_once_a_second_of_audio() -> None:
    reports = Reports()
    meter = answer.StageMeter(reports)
    for _ in range(7):
        meter.add(0.125, 0.25)
    assert reports == [(0.5, 1.0)]
    meter.finish()
    assert reports[1:] == [(0.375, 0.75)]
    meter.finish()
    assert len(reports) == 2, "nothing is left"


def test_without_audio_there_is_nothing_to_report() -> None:
    reports = Reports()
    meter = answer.StageMeter(reports)
    meter.finish()
    assert reports == []


def test_a_monitor_that_raises_stops_nothing() -> None:
    reports = Reports()
    reports.failing = True
    meter = answer.StageMeter(reports)
    meter.add(0.1, 2.0)
    meter.add(0.2, 0.5)
    meter.finish()
    assert reports == [(0.1, 2.0), (0.2, 0.5)]


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(1, 200)), max_size=60))
def test_nothing_is_lost(spent: list[tuple[int, int]]) -> None:
    """In 64ths of a second, whose sums are exact."""
    reports = Reports()
    meter = answer.StageMeter(reports)
    for processing, audio in spent:
        meter.add(processing / 64, audio / 64)
    meter.finish()
    assert sum(processing for processing, _ in reports) == sum(p for p, _ in spent) / 64
    assert sum(audio for _, audio in reports) == sum(a for _, a in spent) / 64
    assert all(1 <= audio < 1 + 200 / 64 for _, audio in reports[:-1])
