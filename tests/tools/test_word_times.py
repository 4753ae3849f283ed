"""What `make accuracy-words` counts, without its aligner."""

import pytest

pytest.importorskip("pocketsphinx", reason="the aligner is only in the locked environment")

from tools.bench.word_times import (
    Aligned,
    Found,
    area_under_curve,
    compare,
    marked_rows,
    times_row,
)


def word(text: str, start_s: float, confidence: float) -> dict[str, object]:
    return {
        "text": text,
        "start_time": start_s,
        "end_time": start_s + 0.2,
        "confidence": confidence,
    }


def test_words_are_compared_with_those_of_the_aligner() -> None:
    output = {
        "words": [word("The", 0.1, 0.9), word("cat,", 0.5, 0.4), word("well-known.", 1.0, 0.8)]
    }
    truth = [
        Aligned("the", 0.13, 0.3), Aligned("hat", 0.5, 0.7),
        Aligned("well", 1.0, 1.1), Aligned("known", 1.1, 1.2),
    ]  # fmt: skip
    found = Found()
    compare(output, truth, "The hat well known", found)
    assert found.starts_ms == pytest.approx([-30])
    assert found.ends_ms == pytest.approx([0])
    assert found.confidences == [0.9, 0.4, 0.8]
    assert found.wrong == [False, True, False]


def test_a_recording_without_alignment_counts_for_certainty_only() -> None:
    found = Found()
    compare({"words": [word("The", 0.1, 0.9)]}, [], "the", found)
    assert (found.starts_ms, found.wrong) == ([], [False])


def test_the_area_under_the_curve() -> None:
    assert area_under_curve([0.9, 0.8, 0.1], [False, False, True]) == 1.0
    assert area_under_curve([0.1, 0.9], [False, True]) == 0.0
    assert area_under_curve([0.5, 0.5], [False, True]) == 0.5
    assert area_under_curve([0.5], [False]) is None


def test_rows() -> None:
    row = times_row("m", "start", [10.0, -60.0, 150.0, -300.0])
    assert [row[f"within {limit} ms, %"] for limit in (50, 100, 200)] == [25.0, 50.0, 75.0]
    assert row["mean error, ms"] == 130
    found = Found(confidences=[0.2, 0.6, 0.95, 0.4], wrong=[True, True, False, False])
    marked = {each["marked below"]: each for each in marked_rows("m", found)}
    assert marked[0.5]["words marked, %"] == 50.0
    assert marked[0.5]["of these wrong, %"] == 50.0
    assert marked[0.5]["of the wrong ones marked, %"] == 50.0
