"""What is counted of key terms, without a transcriber."""

import pytest

from tools.bench.key_terms import Counted, conditions, count, rows


def test_errors_on_rare_words_and_on_others_are_apart() -> None:
    counted = count("the cat met Valjean", "the hat met val jean", ["valjean"], ["valjean"])
    assert (counted.rare, counted.rare_errors) == (1, 1)
    assert (counted.others, counted.other_errors) == (3, 2)


def test_a_term_that_is_written_more_often_than_spoken_is_inserted() -> None:
    assert count("a cat", "a valjean valjean cat", [], ["Valjean"]).inserted == 2
    assert count("valjean", "Valjean.", ["valjean"], ["Valjean"]).inserted == 0


def test_rows_compare_with_no_terms_round_by_round() -> None:
    names = conditions([], [], "")
    without = Counted(rare=10, rare_errors=5, others=10, other_errors=1, cpu_s=1.0)
    with_terms = Counted(rare=10, rare_errors=2, others=10, other_errors=1, cpu_s=1.05)
    one = dict.fromkeys(names, with_terms) | {"none": without}
    none, rare, *_ = rows("m", [one, one], audio_s=100)
    assert (none["errors on rare words"], rare["errors on rare words"]) == (50, 20)
    assert (rare["standard error"], rare["rounds"], rare["model"]) == (0, 2, "m")
    assert rare["CPU ms per s"] == pytest.approx(10.5)
    assert rare["more than none, %"] == 5.0
