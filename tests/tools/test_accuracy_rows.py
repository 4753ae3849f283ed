"""What is computed from recordings that were played in several rounds."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from tools.bench import accuracy_rows, noise_alone
from tools.bench.certainty import Aligned
from tools.bench.plays import Play, Rounds, Setup, plays
from tools.bench.result_files import cell

SPOKEN = "one two three four"
RIGHT, WRONG = SPOKEN, "one two three for"


def play(turn: int, name: str = "a", setup: str = "m", **texts: str) -> Play:
    return Play(setup, turn, name, "group", SPOKEN, texts)


def test_rounds_tell_how_much_is_chance() -> None:
    found = [play(0, whole=RIGHT, socket=WRONG), play(1, whole=WRONG, socket=WRONG)]
    assert accuracy_rows.error_rates(found, "m") == {
        "model": "m",
        "rounds": 2,
        "whole": {"mean": 12.5, "standard error": 12.5},
        "socket": {"mean": 25, "standard error": 0},
        "socket over whole": {"mean": 12.5, "standard error": 12.5},
    }
    one = accuracy_rows.error_rates(found[:1], "m")
    assert one["whole"] == {"mean": 0, "standard error": None}


def test_a_round_that_was_not_completed_does_not_count() -> None:
    found = [
        play(turn, name, whole=RIGHT, socket=RIGHT) for turn in (0, 1, 2) for name in ("a", "b")
    ]
    row = accuracy_rows.error_rates([*found[:-1], play(0, "a", "other", socket=WRONG)], "m")
    assert row["rounds"] == 2


def test_a_second_model_has_the_rates_of_the_first_one_if_its_texts_are_the_same() -> None:
    alone = [play(turn, whole=RIGHT, socket=RIGHT if turn else WRONG) for turn in (0, 1, 2)]
    rates, compared = accuracy_rows.pair_rows(
        [*alone, play(1, setup="pair", socket=RIGHT)], "pair", "m"
    )
    assert rates == {**accuracy_rows.error_rates(alone, "m"), "model": "pair"}
    assert compared == {"model": "pair", "texts": 1, "differing": 0}
    rates, compared = accuracy_rows.pair_rows(
        [*alone, play(1, setup="pair", socket=WRONG)], "pair", "m"
    )
    assert (rates["rounds"], rates["whole"], rates["socket over whole"]) == (1, None, None)
    assert rates["socket"] == {"mean": 25, "standard error": None}
    assert compared["differing"] == 1


def test_noise_has_a_rate_for_each_level() -> None:
    found = [play(turn, **{"20 dB": RIGHT, "10 dB": RIGHT, "5 dB": WRONG}) for turn in (0, 1)]
    row = accuracy_rows.noise_rates(found, "m")
    assert row is not None
    assert (row["rounds"], row["5 dB"]) == (2, {"mean": 25, "standard error": 0})
    assert accuracy_rows.noise_rates([play(0, whole=RIGHT)], "m") is None


def test_words_of_later_rounds_are_compared_with_later_times() -> None:
    truth = {"a": [Aligned("one", 0.5, 0.7)]}
    words = [{"text": "One.", "start_time": 0.71, "end_time": 0.9, "confidence": 0.9}]
    said = Play("m", 2, "a", "", "one", {"whole": "One."}, words)
    (found,) = accuracy_rows.found_words([said], "m", truth, 0.1)
    assert found.starts_ms == pytest.approx([10])
    (start, end) = accuracy_rows.times_rows("m", [found])
    assert (start["edge"], start["words"]) == ("start", 1)
    assert end["mean error, ms"] == {"mean": pytest.approx(0), "standard error": None}


def test_plays_are_read_as_they_were_written(tmp_path: Path) -> None:
    made = [play(0, whole=RIGHT, socket=WRONG), play(1, setup="pair", socket=WRONG)]
    file = tmp_path / "plays.jsonl"
    file.write_text("".join(json.dumps(asdict(each)) + "\n" for each in made))
    assert plays(file) == made


def test_all_plays_are_counted_beforehand() -> None:
    setups = [Setup("m", "m"), Setup("n", "n"), Setup("pair", "n", "m")]
    assert Rounds(plain=20, pairs=3, noisy=5).total(setups) == 2 * (20 + 5) + 3


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"mean": 10.321, "standard error": 0.064}, "10.32 ± 0.06"),
        ({"mean": 10.321, "standard error": None}, "10.32"),
        (None, "–"),
        (0.5, "0.5"),
        (2.0, "2"),
        (False, "no"),
        (["You", "Thanks"], "You, Thanks"),
        (47, "47"),
    ],
)
def test_figures_are_written_for_readers(value: object, shown: str) -> None:
    assert cell(value) == shown


def test_noise_is_cut_into_pieces_and_their_texts_are_counted() -> None:
    pieces = [*noise_alone.cut(np.zeros(16_000 * 11, np.float32), 5.0)]
    assert [len(piece) for piece in pieces] == [80_000, 80_000, 16_000]
    row = noise_alone.row("m", 5.0, [(None, ""), ("", ""), ("You", ""), ("Thank you.", "Thanks")])
    assert (row["pieces"], row["inferred"], row["gave a text"]) == (4, 3, 2)
    assert (row["through the socket"], row["texts"]) == (1, ["You", "Thank you."])
