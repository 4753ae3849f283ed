"""What is computed from the words of transcripts, without an aligner."""

from typing import Any

import pytest

from tools.bench.certainty import (
    Aligned,
    Found,
    area_under_curve,
    marked,
    marking_curve,
    times_of,
)
from tools.bench.word_times import Cost


def word(text: str, start_s: float, confidence: float) -> dict[str, object]:
    return {
        "text": text,
        "start_time": start_s,
        "end_time": start_s + 0.2,
        "confidence": confidence,
    }


def test_words_are_compared_with_those_of_the_aligner() -> None:
    output = [word("The", 0.1, 0.9), word("cat,", 0.5, 0.4), word("well-known.", 1.0, 0.8)]
    truth = [
        Aligned("the", 0.13, 0.3), Aligned("hat", 0.5, 0.7),
        Aligned("well", 1.0, 1.1), Aligned("known", 1.1, 1.2),
    ]  # fmt: skip
    found = Found()
    found.add(output, truth, "The hat well known")
    assert found.starts_ms == pytest.approx([-30])
    assert found.ends_ms == pytest.approx([0])
    assert found.confidences == [0.9, 0.4, 0.8]
    assert found.wrong == [False, True, False]


def test_a_recording_without_alignment_counts_for_certainty_only() -> None:
    found = Found()
    found.add([word("The", 0.1, 0.9)], [], "the")
    assert (found.starts_ms, found.wrong) == ([], [False])


def test_the_area_under_the_curve() -> None:
    assert area_under_curve([0.9, 0.8, 0.1], [False, False, True]) == 1.0
    assert area_under_curve([0.1, 0.9], [False, True]) == 0.0
    assert area_under_curve([0.5, 0.5], [False, True]) == 0.5
    assert area_under_curve([0.5], [False]) is None


def test_errors_of_times_are_absolute() -> None:
    times = times_of([10.0, -60.0, 150.0, -300.0])
    assert [times[f"within {limit} ms, %"] for limit in (50, 100, 200)] == [25.0, 50.0, 75.0]
    assert times["mean error, ms"] == 130


def test_words_below_a_confidence_are_marked() -> None:
    found = Found(confidences=[0.2, 0.6, 0.95, 0.4], wrong=[True, True, False, False])
    assert marked(found, 0.5) == {
        "words marked, %": 50.0,
        "of these wrong, %": 50.0,
        "of the wrong ones marked, %": 50.0,
    }
    assert marked(found, 0.1)["of these wrong, %"] is None


def test_the_curve_begins_with_the_least_certain_words() -> None:
    found = Found(confidences=[0.2, 0.6, 0.95, 0.4], wrong=[True, True, False, False])
    assert marking_curve(found) == [(0, 0), (25, 50), (50, 50), (75, 100), (100, 100)]


def test_what_disturbs_neighbours_alike_is_no_cost() -> None:
    """Two recordings of 5 s; in one of the turns, the machine is slower."""
    cost = Cost(audio_s=10.0)
    for seconds in (0.1, 0.3):
        usual = (seconds, seconds + 0.004, seconds + 0.006)
        slow = (seconds + 1, seconds + 1.004, seconds + 1.3)
        cost.turns_s.append([usual, slow, usual])
    row = cost.row("tiny")
    assert row["certainty, ms/s"] == {
        "mean": pytest.approx(0.8),
        "standard error": pytest.approx(0),
    }
    assert row["words, ms/s"] == {"mean": pytest.approx(0.4), "standard error": pytest.approx(0)}


def test_the_error_of_a_cost_is_that_of_its_medians() -> None:
    cost = Cost([[(0.1, 0.1 + extra, 0.2) for extra in (0.001, 0.002, 0.003, 0.004)]], audio_s=1.0)
    found: Any = cost.row("tiny")["certainty, ms/s"]
    assert found["mean"] == pytest.approx(2.5)
    assert found["standard error"] == pytest.approx(1.2533 * 1.4826 * 1.0 / 2)
