"""What the benchmarks compute from what they measure."""

import io
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from rich.console import Console

from streamer.config.segmentation import InterimConfig, VadConfig
from streamer.load.load_report import LoadReport
from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats

pytest.importorskip("matplotlib")

from tools.bench import (
    curve,
    levels,
    long,
    networks,
    noise,
    pictures,
    publish,
    reference,
    silence,
    targets,
    telemetry,
    vad,
)
from tools.bench.alternatives.drafting import interims

LIVE = {
    "interims": False,
    "lost": 0,
    "final p50 ms": 590,
    "final p95 ms": 640,
    "after inactive p50 ms": 2,
}
RESULTS = {
    "overhead": [{"engine": "silero", "input Hz": 16_000, "server CPU ms per audio s": 4.4}],
    "growth": [
        {"streams": n, "server CPU ms per audio s": c} for n, c in ((1, 40), (50, 6), (200, 5))
    ],
    "live": [
        {**LIVE, "streams": 1},
        {**LIVE, "streams": 32},
        {**LIVE, "streams": 64, "final p95 ms": 990},
        {**LIVE, "streams": 80, "final p95 ms": 995, "lost": 1},
        {**LIVE, "streams": 96, "final p95 ms": 2_000},
        {**LIVE, "streams": 32, "interims": True, "final p95 ms": None},
    ],
    "interims": [
        {"model": "Tiny", "interims": False, "in vain, % of the workers' time": 9.0},
        {
            "model": "Tiny",
            "interims": True,
            "last words shown p50 ms": 340,
            "over without": 1.9,
            "in vain, % of the workers' time": 1.5,
        },
    ],
}


def test_each_target_is_beside_what_was_reached() -> None:
    rows = {
        row["what"]: (row["target"], row["reached"], row["met"]) for row in targets.compare(RESULTS)
    }
    assert rows == {
        "server CPU, ms per audio second, Silero, 16 kHz": ("≤ 4.5", 4.4, "yes"),
        "finals, 32 streams, p95 ms": ("≤ 632", 640, "no"),
        "finals, 64 streams, p95 ms": ("≤ 900", 990, "no"),
        "most streams with p95 ≤ 1 s": ("≥ 130", 64, "no"),
        "inactive to final, 1 stream, p50 ms": ("≤ 30", 2, "yes"),
        "cost at 200 streams over that at 50": ("≤ 1.05", 0.83, "yes"),
        "Tiny: last words shown, with interims, 32 streams, p50 ms": ("≤ 350", 340, "yes"),
        "Tiny: whole server with interims over without, 32 streams": ("≤ 1.7", 1.9, "no"),
        "Tiny: in vain, % of the workers' time, 32 streams, without interims": ("≤ 8", 9, "no"),
        "Tiny: the same, with interims": ("≤ 8", 1.5, "yes"),
    }


def test_the_most_streams_of_the_pair_are_those_in_time_with_interims() -> None:
    row = {"model": targets.PAIR, "interims": True, "lost": 0, "final p95 ms": 700.0}
    rows = [
        {**row, "streams": 48},
        {**row, "streams": 56, "lost": 1},
        {**row, "streams": 64, "final p95 ms": 1_001.0},
        {**row, "streams": 80, "interims": False},
        {**row, "streams": 96, "model": "Tiny"},
    ]
    assert targets.most_streams_of_pair({"models": rows}) == 48
    assert targets.most_streams_of_pair({"models": rows[1:]}) == 0


def test_nothing_measured_is_nothing_compared() -> None:
    assert targets.compare({}) == []


def test_found_speech_is_compared_in_frames() -> None:
    spoken = vad.Labelled(Path("a"), (0.0, 4.0), ((1.0, 2.0), (3.0, 3.5)), noise=False)
    noise = vad.Labelled(Path("b"), (0.0, 60.0), (), noise=True)
    score = vad.score("silero", [(spoken, [(1.2, 2.2)]), (noise, [(5.0, 6.0)])])
    assert (score.precision, score.recall) == pytest.approx((0.8, 0.8 / 1.5))
    assert score.f1 == pytest.approx(1.6 / 2.5)
    assert score.false_alarm == pytest.approx(0.2 / 2.5)
    assert score.noise_segments_a_minute == 1
    assert (score.onset_error_ms, score.offset_error_ms) == pytest.approx((200, 200))
    assert score.speech_missed == 1


def test_words_are_lost_where_the_socket_alone_has_none() -> None:
    done = [
        reference.Transcripts("one two three four", "one two four", "two four"),
        reference.Transcripts("one two", "two", "two"),
    ]
    assert reference.losses(done) == (1, 1)
    assert reference.error_rate([("It's one, TWO", "it's one")]) == pytest.approx(100 / 3)


def test_a_play_is_heard_as_it_is_cut() -> None:
    class Counting:
        def infer(self, samples: Floats) -> dict[str, object]:
            asked.append(len(samples))
            return {"text": f"{len(samples)} samples"}

    asked: list[int] = []
    model = cast("Moonshine", Counting())
    probabilities = [*([0.9] * 20), *([0.0] * 12), *([0.9] * 20), *([0.0] * 40)]
    track = curve.ScoredChannel(np.zeros(len(probabilities) * 512, np.float32), probabilities)
    play = curve.Play("said", "whole", track)
    settings = curve.settings_of(VadConfig(min_silence_ms=600, suffix_padding_ms=350))
    length = 52 * 512 + 350 * 16
    for _ in range(2):
        found, false_pauses = play.cut(settings, model)
        assert (found.streamed, false_pauses) == (f"{length} samples", 1)
    assert asked == [length]


def test_a_track_is_cut_as_a_stream_is() -> None:
    silence, speech = [0.0] * 40, [0.9] * 20
    probabilities = [*silence, *speech, *([0.0] * 8), *speech, *silence]
    track = curve.ScoredChannel(np.zeros(len(probabilities) * 512, np.float32), probabilities)
    settings = curve.settings_of(VadConfig(min_silence_ms=500, suffix_padding_ms=100))
    (cut,) = curve.cuts(track, settings)
    assert cut.speech == (40 * 512, 88 * 512)
    assert cut.audio[1] == 88 * 512 + 1_600
    assert cut.resumed == 1


def test_a_speakers_recordings_are_one_stream() -> None:
    names = ("a/1089-134686-0000.flac", "a/1089-134691-0001.flac", "a/61-1.flac", "b/1089-1.flac")
    speakers = [
        silence.speaker_of(reference.ReferenceRecording("", Path(name), "")) for name in names
    ]
    assert speakers == ["a/1089", "a/1089", "a/61", "b/1089"]
    parts = [np.ones(100, np.float32)] * 3
    stream = silence.stream_of(parts, random.Random(1))
    assert stream.sum() == 300
    quiet = [
        len(run) for run in np.split(stream, np.flatnonzero(np.diff(stream)) + 1) if not run[0]
    ]
    assert len(quiet) == 2
    assert all(300 * 16 <= length <= 2_000 * 16 for length in quiet)


def test_silences_are_compared_within_their_round() -> None:
    rounds = [{ms: ms / 100 + turn for ms in silence.TRIED_MS} for turn in (0.0, 4.0)]
    rows = silence.rows_of("m", rounds, dict.fromkeys(silence.TRIED_MS, (7, 0.25)))
    (row,) = [row for row in rows if row["min_silence_ms"] == 700]
    assert row["waited, ms"] == 704
    assert row["word errors, %"] == {"mean": 9.0, "standard error": 2.0}
    assert row["more than with 550"] == {"mean": 1.5, "standard error": 0.0}
    assert row["eager interims taken back, %"] == 25


def test_interims_come_less_often_as_a_segment_grows() -> None:
    config = InterimConfig(interval_ms=500, growth=0.5)
    assert list(interims(48_000, config)) == [8_000, 16_000, 24_000, 36_000]


def test_a_long_run_looks_at_a_real_server() -> None:
    report, looks = long.run(2, 3.0, lambda _: None)
    assert report.unfinished == report.lost == 0
    assert report.events["segment"] >= 2
    assert (looks[0].rss_mb > 0, looks[0].descriptors > 10, looks[0].tasks > 10) == (True,) * 3


def test_a_long_run_compares_its_ends() -> None:
    report = LoadReport(final_ms=[100.0] * 10 + [500.0] * 80 + [200.0] * 10)
    looks = [long.Look(1, 90.0, 60, 300), long.Look(30, 91.0, 60, 300)]
    rows = {row["what"]: (row["start"], row["end"]) for row in long.summary(report, looks)}
    assert rows["rss_mb"] == (90.0, 91.0)
    assert rows["final p95 ms"] == (100, 200)


@pytest.mark.parametrize("name", publish.PAGES)
def test_the_tables_of_the_pages_are_those_of_the_results(name: str) -> None:
    page = (publish.DOCS / name).read_text()
    assert publish.rendered(page, publish.DOCS / "performance") == page
    assert publish.TABLE_BLOCK.search(page)


def test_the_curve_of_the_page_is_that_of_the_defaults() -> None:
    published = json.loads((publish.DOCS / "performance/curve.json").read_text())
    defaults = VadConfig()
    assert published["defaults"] == {name: getattr(defaults, name) for name in curve.SWEPT}
    assert {row["setting"] for row in published["rows"]} == set(curve.SWEPT)
    assert published["rounds"] == reference.ROUNDS


def test_a_table_is_written_for_readers() -> None:
    rows: list[dict[str, Any]] = [
        {"what": "a", "ms": 1.5, "rounds": [1, 2]},
        {"what": "b", "ms": None, "rounds": []},
    ]
    assert publish.markdown(rows).splitlines() == [
        "| what | ms | rounds |",
        "| --- | ---: | --- |",
        "| a | 1.5 | 1, 2 |",
        "| b | – |  |",
    ]


def test_telemetry_is_compared_within_each_round() -> None:
    spent = {
        "nothing": [4.0, 8.0, 5.0],
        "metrics": [4.04, 8.16, 5.05],
        "metrics and traces": [4.4, 8.4, 5.5],
    }
    shares = [row["more than nothing, %"] for row in telemetry.summary(spent)]
    assert shares == [0, 1.0, 10.0]


def test_the_same_results_draw_the_same_pictures(tmp_path: Path) -> None:
    results = json.loads(json.dumps(RESULTS))
    results["live"].pop()
    for name in ("once", "twice"):
        (tmp_path / name).mkdir()
        pictures.draw(results, tmp_path / name)
    for picture in ("latency.svg", "growth.svg"):
        drawn = (tmp_path / "once" / picture).read_bytes()
        assert drawn == (tmp_path / "twice" / picture).read_bytes()


ACCURACY = {
    "models": [
        {"model": "Tiny", "socket": {"mean": 11.0, "standard error": 0.2}},
        {"model": "Base", "socket": {"mean": 8.0, "standard error": None}},
    ],
    "curve": [{"model": "Tiny", "points": [[0, 0], [10, 60], [100, 100]]}],
    "marked": [
        {
            "model": "Tiny",
            "marked below": 0.5,
            "words marked, %": 10.0,
            "of the wrong ones marked, %": 60.0,
        }
    ],
}
PAIRS = {
    "rows": [
        {"models": name, "finals, ms/s": cost, "with interims, ms/s": 3 * cost}
        for name, cost in (("Tiny", 11.0), ("Base", 23.0))
    ]
}


def test_errors_are_drawn_beside_cost_and_certainty(tmp_path: Path) -> None:
    for name in ("once", "twice"):
        (tmp_path / name).mkdir()
        pictures.draw_errors_by_cost(ACCURACY, PAIRS, tmp_path / name)
        pictures.draw_marking(ACCURACY, tmp_path / name)
    for picture in ("errors_by_cost.svg", "marking.svg"):
        drawn = (tmp_path / "once" / picture).read_bytes()
        assert drawn == (tmp_path / "twice" / picture).read_bytes()
        assert b"Tiny" in drawn


@pytest.mark.parametrize("level_db", [20, 0, -5])
def test_noise_is_added_at_its_level(level_db: float) -> None:
    made = np.random.default_rng(1)
    speech = made.normal(0, 0.1, 1_000).astype(np.float32)
    noises = [made.normal(0, 0.02, size).astype(np.float32) for size in (300, 5_000)]
    for place in (0, 1, 2):
        added = noise.mixed(speech, noises, place, level_db) - speech
        ratio = np.square(speech).mean() / np.square(added).mean()
        assert 10 * np.log10(ratio) == pytest.approx(level_db, abs=0.01)
    assert noise.mixed(speech, noises, 0, 0).tolist() == noise.mixed(speech, noises, 2, 0).tolist()


def test_the_networks_alone_are_measured() -> None:
    chosen = networks.segments()
    assert len(chosen) > 5
    row = networks.measure(reference.MODEL, chosen[:1], 1, Console(file=io.StringIO()))
    assert row["segments"] == 1
    parts = ("encoder", "decoder", "whole", "with interims")
    assert all(row[f"{part}, ms/s"] for part in parts)
    assert {"decoder, drafted, ms/s", "whole, drafted, ms/s"} < row.keys()


def test_levels_are_compared_with_and_without_gain() -> None:
    score = vad.VadScore("", 0.9, 0.5, 0.6, 0.25, 0.0, 30.0, 60.0, 1)
    gained = replace(score, recall=0.87654, noise_segments_a_minute=0.526)
    scores = {
        (db, gain): gained if gain else score
        for db in (0, 20, 30, 40, 50)
        for gain in (False, True)
    }
    rows = levels.summary(scores)
    assert [row["attenuation, dB"] for row in rows] == [0, 20, 30, 40, 50]
    assert (rows[3]["recall without gain"], rows[3]["with gain"]) == (0.5, 0.877)
    assert rows[3]["with the gain"] == 0.53
