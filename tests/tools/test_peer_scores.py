"""What is played to other servers, how their answers are scored, and how the most is found."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("matplotlib")

from streamer.vad.silero_network import SAMPLE_RATE, WINDOW
from tools.bench import pictures, publish
from tools.bench.peers.load import Arrival, PlayedStream, messages
from tools.bench.peers.peer import Final
from tools.bench.peers.score import latencies_ms, score, text
from tools.bench.peers.search import LIMIT, most_streams
from tools.bench.peers.utterances import (
    GAP_S,
    LONGEST_S,
    Playlist,
    Reading,
    Utterance,
    pieces,
    playlist,
    readings,
    utterances,
)
from tools.bench.reference import recordings

SECOND = bytes(2 * SAMPLE_RATE)
TWO = Playlist((Utterance(SECOND * 3, 2.9), Utterance(SECOND * 2, 1.9)), "one two three four")
"""Its second utterance begins at 5 s; the last words end at 2.9 and at 6.9 s."""


def windows(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE / WINDOW)


def test_long_speech_is_cut_at_its_longest_pauses() -> None:
    parts = [(True, 5), (False, 0.4), (True, 5), (False, 0.8), (True, 5), (False, 0.1), (True, 1)]
    speech = [is_speech for is_speech, seconds in parts for _ in range(windows(seconds))]
    found = [(last - first) * WINDOW / SAMPLE_RATE for first, last in pieces(speech)]
    assert found == [pytest.approx(10.4, abs=0.1), pytest.approx(6.1, abs=0.1)]


@given(st.lists(st.booleans(), max_size=200).map(lambda few: [x for x in few for _ in range(8)]))
def test_no_speech_is_lost_or_doubled_by_cutting(speech: list[bool]) -> None:
    found = pieces(speech)
    kept = [index for first, last in found for index in range(first, last)]
    assert kept == sorted(set(kept))
    assert {i for i, is_speech in enumerate(speech) if is_speech} <= set(kept)
    assert all(speech[first] and speech[last - 1] for first, last in found)


def test_an_utterance_has_a_little_silence_around_it_and_knows_its_last_word() -> None:
    silence, spoken = windows(1.024), windows(2.048)
    speech = [0.0] * silence + [0.9] * spoken + [0.0] * silence
    (found,) = utterances(np.zeros(len(speech) * WINDOW, np.float32), speech)
    assert found.speech_end_s == pytest.approx(0.25 + 2.048)
    assert found.duration_s == pytest.approx(0.25 + 2.048 + 0.1)


def test_the_recordings_that_come_with_the_model_are_utterances() -> None:
    every = readings(recordings(None))
    assert len(every) == 2
    spoken = [each for reading in every for each in reading.utterances]
    assert len(spoken) > 4
    assert all(1 < each.duration_s < LONGEST_S + 1 for each in spoken)


def test_a_playlist_has_whole_recordings() -> None:
    every = [
        Reading("one two", (Utterance(SECOND, 0.9), Utterance(SECOND * 2, 1.9))),
        Reading("three", (Utterance(SECOND, 0.9),)),
    ]
    made = playlist(every, 1, 8)
    assert made.transcript == "three one two"
    assert made.begins_s == [0, 1 + GAP_S, 2 + 2 * GAP_S]
    assert made.duration_s == 4 + 3 * GAP_S


@pytest.mark.parametrize("told", [True, False])
def test_messages_hold_all_audio_and_come_when_it_is_recorded(told: bool) -> None:
    sent = list(messages(TWO, told=told))
    assert sum(len(each.pcm) for each in sent) / len(SECOND) == 5 + (0 if told else 2 * GAP_S)
    assert [each.due_s for each in sent] == sorted(each.due_s for each in sent)
    assert [round(each.due_s, 3) for each in sent if each.begins] == [0.1, 5.1]
    ends = [3, 7] if told else [5, 9]
    assert [round(each.due_s, 3) for each in sent if each.ends] == ends


def played(*arrivals: tuple[float, Final]) -> PlayedStream:
    return PlayedStream(TWO, [Arrival(final, at_s) for at_s, final in arrivals])


def test_a_peer_that_is_told_the_ends_answers_each_utterance() -> None:
    stream = played((3.0, Final("one two", 0)), (7.5, Final("three", 1)))
    assert latencies_ms(stream) == [pytest.approx(100), pytest.approx(600)]
    assert latencies_ms(played((7.5, Final("three", 1))))[0] == math.inf


def test_other_finals_answer_the_utterance_whose_speech_they_hold() -> None:
    stream = played(
        (1.9, Final("one", None, 0.2, 1.4)),
        (3.5, Final("two", None, 1.6, 3.0)),
        (8.9, Final("three four", None, 5.1, 6.8)),
    )
    assert latencies_ms(stream) == [pytest.approx(600), pytest.approx(2000)]


def test_half_an_utterance_is_lost() -> None:
    stream = played((1.9, Final("one", None, 0.2, 1.4)), (7.5, Final("x", None, 5.1, 6.8)))
    assert latencies_ms(stream) == [math.inf, pytest.approx(600)]


def test_a_score_counts_lost_utterances_as_late() -> None:
    found = score([played((3.0, Final("one two", 0))), played((7.0, Final("three four", 1)))])
    assert found.lost == 2
    assert found.percentile_ms(50) == pytest.approx(100)
    assert found.percentile_ms(95) == math.inf
    assert found.word_errors == 50


def test_texts_are_in_the_order_of_the_audio() -> None:
    assert text(played((9, Final("b", 1)), (9.1, Final("a", 0)))) == "a b"
    later, sooner = Final("b", None, 5, 6), Final("a", None, 1, 2)
    assert text(played((9, later), (9.1, sooner))) == "a b"


@given(st.integers(0, LIMIT), st.integers(1, LIMIT))
def test_the_most_streams_are_found_to_a_quarter(most: int, first: int) -> None:
    tried: list[int] = []

    def in_time(streams: int) -> bool:
        assert 1 <= streams <= LIMIT
        assert streams not in tried
        tried.append(streams)
        return streams <= most

    found = most_streams(first, in_time)
    assert found <= most <= max(found, found + max(1, found // 4) - 1)
    assert len(tried) < 16


@pytest.mark.parametrize("most", [64, None])
def test_a_picture_shows_each_server(most: int | None, tmp_path: Path) -> None:
    row = {
        "server": "streamer",
        "model": "tiny",
        "ends of speech": "told",
        "interims": True,
        "most streams": most,
        "CPU ms per audio s": 20.5,
    }
    other = {**row, "server": "another 1.0 (C++)", "interims": False, "most streams": 0}
    pictures.draw_peers({"rows": [row, other]}, tmp_path)
    assert (tmp_path / "peers.svg").read_text().count("<svg") == 1


def test_the_table_of_servers_is_written_from_the_results(tmp_path: Path) -> None:
    rows = [{"server": "a", "most streams": 3, "p95 ms": None, "interims": True}]
    (tmp_path / "peers.json").write_text(json.dumps({"rows": rows}))
    page = publish.rendered("<!-- table: peers rows -->\nold\n<!-- end -->", tmp_path)
    assert "| a | 3 | – | yes |" in page
    assert "old" not in page
