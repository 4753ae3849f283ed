"""What the comparison with another checkout counts as equal, and what as different."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tools.bench.compare.__main__ import differences_text
from tools.bench.compare.answers import (
    ABSENT,
    Answer,
    Difference,
    first_difference,
    http_answer,
    masked,
    metric_names,
    stream_answer,
)
from tools.bench.compare.checkout import Checkout, NoCheckout
from tools.bench.compare.cut_recordings import (
    LARGEST_CUT_BYTES,
    manifest,
    random_cuts,
    read_recording,
    whole,
)
from tools.bench.compare.event_comparison import Check, ComparisonOutcome
from tools.bench.compare.message_scripts import SCRIPTS
from tools.bench.compare.players import form
from tools.bench.compare.ratios import Figure, in_turn, measure
from tools.bench.compare.wrong_frames import FRAMES, HEADS
from tools.bench.compare.wrong_requests import FORMS, requests
from tools.harness.sounds import SUBTYPES

SESSION, TRACE = "0123456789abcdef", "4bf92f3577b34da6a3ce929d0e0e4736"
STARTED = f'{{"type":"started","session_id":"{SESSION}","trace_id":"{TRACE}","protocol":1}}'


def test_ids_and_durations_are_masked_if_they_have_their_form() -> None:
    assert masked(STARTED) == ('{"type":"started","session_id":"…","trace_id":"…","protocol":1}')
    assert masked('{"inference_ms":1.5,"total_ms":20}') == '{"inference_ms":…,"total_ms":…}'
    assert masked('{"inference_seconds":7.7e-05}') == '{"inference_seconds":…}'
    for odd in ('{"session_id":"abc"}', '{"total_ms":"1.5"}', '{"total_ms":-1}', '{"id":"a"}'):
        assert masked(odd) == odd


def test_an_id_that_the_client_gave_has_to_be_kept() -> None:
    assert f'"trace_id":"{TRACE}"' in masked(STARTED, [TRACE])
    assert SESSION not in masked(STARTED, [TRACE])


def event(kind: str, **fields: object) -> str:
    return json.dumps({"type": kind, **fields})


ACTIVE = event("active", time=1.0, channel=0)
INACTIVE = event("inactive", time=2.0, channel=0)
SEGMENT = event("segment", start_time=0.5, end_time=2.0, channel=0, text="a")


def test_speech_and_results_may_interleave_in_any_way() -> None:
    one = stream_answer([STARTED, ACTIVE, INACTIVE, ACTIVE, SEGMENT], "1000 ")
    other = stream_answer([STARTED, ACTIVE, INACTIVE, SEGMENT, ACTIVE], "1000 ")
    assert first_difference(one, other) is None
    assert one.lines == 6


@pytest.mark.parametrize(
    ("frames", "part"),
    [
        ([STARTED, INACTIVE, ACTIVE, SEGMENT], "channel 0, speech"),
        ([STARTED, ACTIVE, INACTIVE, SEGMENT, SEGMENT], "channel 0, results"),
        ([STARTED, ACTIVE, INACTIVE, SEGMENT.replace(" ", "")], "channel 0, results"),
        ([STARTED, ACTIVE, INACTIVE], "channel 0, results"),
        ([STARTED, STARTED, ACTIVE, INACTIVE, SEGMENT], "stream"),
        ([ACTIVE, INACTIVE, SEGMENT], "stream"),
    ],
)
def test_any_other_order_or_byte_is_a_difference(frames: list[str], part: str) -> None:
    usual = stream_answer([STARTED, ACTIVE, INACTIVE, SEGMENT], "1000 ")
    difference = first_difference(usual, stream_answer(frames, "1000 "))
    assert difference is not None
    assert difference.part == part


def test_another_close_is_a_difference() -> None:
    one, other = stream_answer([STARTED], "1000 "), stream_answer([STARTED], "1011 ")
    assert first_difference(one, other) == Difference("close", 0, "1000 ", "1011 ")


@pytest.mark.parametrize(
    ("this", "other", "equal"),
    [
        ("1009 too large", "1009 ", True),
        ("1009 b'too large'", "1009 b''", True),
        ("1009 ", "1009 too large", False),
        ("1009 too large", "1008 ", False),
        ("1009 too large", "1009 too long", False),
    ],
)
def test_a_reason_where_there_was_none_is_no_difference(
    this: str, other: str, *, equal: bool
) -> None:
    answers = [stream_answer([STARTED], closed) for closed in (this, other)]
    assert (first_difference(*answers) is None) is equal


def test_only_warnings_that_depend_on_time_are_left_out() -> None:
    usual = stream_answer([STARTED], "1000 ")
    for code, equal in (("lagging", True), ("interim_shed", True), ("bad_samples", False)):
        warned = stream_answer([STARTED, event("warning", code=code, message="")], "1000 ")
        assert (first_difference(usual, warned) is None) is equal


def test_the_date_and_a_right_length_are_no_difference() -> None:
    def answer(date: str, length: str, body: bytes) -> Answer:
        return http_answer("200 OK", [("date", date), ("content-length", length)], body)

    one = answer("Sat", "16", b'{"total_ms":1.5}')
    assert first_difference(one, answer("Sun", "17", b'{"total_ms":10.5}')) is None
    wrong_length = first_difference(one, answer("Sat", "15", b'{"total_ms":1.5}'))
    assert wrong_length is not None
    assert wrong_length.part == "headers"
    other_body = first_difference(one, answer("Sat", "16", b'{"total_ms":1.5]'))
    assert other_body is not None
    assert other_body.part == "body"


def test_headers_are_compared_in_order() -> None:
    one = http_answer("200 OK", [("a", "1"), ("b", "2")], b"")
    other = http_answer("200 OK", [("b", "2"), ("a", "1")], b"")
    assert first_difference(one, other) == Difference("headers", 0, "a: 1", "b: 2")


def test_what_is_missing_is_a_difference() -> None:
    one, other = Answer({"a": ("1",)}), Answer({"a": ("1", "2"), "b": ()})
    assert first_difference(one, other) == Difference("a", 1, ABSENT, "2")


def test_metrics_are_compared_without_their_values() -> None:
    exposition = '# HELP a b\n# TYPE a counter\na_total{x="1",y="2"} 3\nb 4.5\n'
    names = metric_names(exposition)
    assert names == ("# TYPE a counter", "a_total{x,y}", "b{}")
    assert metric_names(exposition.replace(" 3", " 5").replace('"2"', '"z"')) == names
    assert metric_names(exposition.replace("y=", "z=")) != names


@pytest.mark.parametrize("length", [0, 1, 100, 50_000, 3_000_000])
def test_cuts_hold_every_byte_and_depend_on_the_seed(length: int) -> None:
    data = np.random.default_rng(1).bytes(length)
    cuts = list(random_cuts(data, "a"))
    assert b"".join(cuts) == b"".join(whole(data)) == data
    assert cuts == list(random_cuts(data, "a"))
    assert all(0 < len(cut) <= LARGEST_CUT_BYTES for cut in cuts)
    if length > 100:
        assert cuts != list(random_cuts(data, "b"))
        assert 10 < len(cuts) < 900, "as many as a server takes in a second"
        assert any(len(cut) % 2 for cut in cuts)


@pytest.mark.parametrize("subtype", [*SUBTYPES.values()])
def test_a_recording_keeps_its_encoding(tmp_path: Path, subtype: str) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros((100, 2)), 44_100, subtype)
    audio = read_recording("a", path).audio
    assert audio is not None
    assert SUBTYPES[audio.bit_depth, audio.is_float, audio.encoding] == subtype
    assert (audio.sample_rate, audio.channels, audio.frames) == (44_100, 2, 100)


def test_a_file_that_cannot_be_read_is_only_sent_as_a_body(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(b"1234")
    (tmp_path / "b.wav").write_bytes(b"none")
    (tmp_path / "manifest.json").write_text('{"files": [{"path": "a.raw"}, {"path": "b.wav"}]}')
    recordings = [read_recording(*entry) for entry in manifest(tmp_path)]
    assert [(r.name, r.audio, r.body) for r in recordings] == [
        ("a.raw", None, b"1234"),
        ("b.wav", None, b"none"),
    ]


def test_every_script_makes_the_server_close_the_socket() -> None:
    closing = '{"request": "stop", "disconnect": true}'
    for name, script in SCRIPTS.items():
        assert closing in script.messages, name
    assert len(SCRIPTS) > 100
    assert all(FRAMES.values())
    assert all(head.endswith(b"\r\n\r\n") for head in HEADS.values())
    assert len({(r.method, r.path, r.body, str(r.headers)) for r in requests(b"a").values()}) > 80


def test_a_form_holds_the_fields_and_the_file() -> None:
    body, headers = form(FORMS["text"], "a.wav", b"RIFF")
    boundary = headers["Content-Type"].partition("boundary=")[2]
    parts = body.decode().split(f"--{boundary}")
    assert [part.partition("\r\n\r\n")[2] for part in parts[1:-1]] == [
        "whisper-1\r\n",
        "text\r\n",
        "RIFF\r\n",
    ]
    assert parts[-1] == "--\r\n"


def test_each_side_is_first_in_every_other_round() -> None:
    assert list(in_turn(3)) == [
        (0, True), (0, False), (1, False), (1, True), (2, True), (2, False),
    ]  # fmt: skip


def test_medians_are_compared_and_the_spread_is_that_of_one_round() -> None:
    values = {True: iter([1.0, 3.0, 20.0]), False: iter([2.0, 2.0, 4.0])}
    figure = Figure("a", limit=1.02)
    measure([figure], 3, lambda this: [next(values[this])])
    assert (figure.ratio, figure.spread) == (1.5, (0.5, 5.0))
    assert not figure.passed
    assert figure.row()[3:7] == ("1.500", "0.500 – 5.000", "≤ 1.02", "NO")
    assert Figure("a", 1.5, this=figure.this, other=figure.other).passed
    assert Figure("a", None, this=figure.this, other=figure.other).passed
    fastest = Figure("a", 0.5, fastest=True, this=figure.this, other=figure.other)
    assert (fastest.ratio, fastest.passed) == (0.5, True)
    assert fastest.row()[0] == "a (fastest)"


def test_differences_are_printed() -> None:
    outcome = ComparisonOutcome()
    checks = [Check("kind", name, lambda _: Answer({})) for name in ("a", "b", "c")]
    one, other = Answer({"body": ("x", "y")}), Answer({"body": ("x", "z" * 500)})
    outcome.add(checks[0], one, one)
    assert differences_text(outcome) == "no difference"
    for check in checks[1:]:
        outcome.add(check, one, other)
    assert (outcome.rows["kind"].checks, outcome.rows["kind"].equal) == (3, 1)
    text = differences_text(outcome)
    assert "2 exchanges differ" in text
    for name in "bc":
        assert f"kind: {name} (body, line 2)\n    this:  y\n    other: " + "z" * 500 in text


def test_a_folder_that_is_no_checkout(tmp_path: Path) -> None:
    with pytest.raises(NoCheckout, match="make install"):
        Checkout("other", tmp_path).check()
