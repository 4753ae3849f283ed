import json
from typing import Any

import pytest

from streamer_client.errors import ServerError
from streamer_client.event_text import (
    clock,
    describe_problem,
    format_jsonl,
    format_text,
    uncertain_spans,
)
from streamer_client.events import Event, parse_event
from streamer_client.transcript import make_formatter


def event(type: str, **fields: Any) -> Event:  # noqa: A002
    return parse_event(json.dumps({"type": type, **fields}))


def segment(**output: Any) -> Event:
    return event(
        "segment", start_time=3.21, end_time=5.94, is_final=True, flushed=True, channel=1, **output
    )


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "00:00.0"), (59.96, "01:00.0"), (754.04, "12:34.0"), (3600, "1:00:00.0")],
)
def test_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


def test_text_of_one_channel_and_of_several() -> None:
    assert format_text(segment(text=" hello "), 1) == "[00:03.2 → 00:05.9] hello\n"
    assert format_text(segment(text="hello"), 2) == "[00:03.2 → 00:05.9] channel 2: hello\n"


def test_an_interim_is_marked() -> None:
    line = format_text(event("interim", start_time=0, end_time=1, channel=0, text="he"), 1)
    assert line == "[00:00.0 → 00:01.0 …] he\n"


def test_scores_are_key_value_pairs() -> None:
    line = format_text(segment(arousal=0.512345, label="calm", top=[1, 2]), 1)
    assert line == "[00:03.2 → 00:05.9] arousal=0.5123 label=calm top=[1, 2]\n"


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert format_text(segment(text="a\x1b[2Jb\rc\u200dd"), 1).endswith("] a [2Jb c\u200dd\n")


@pytest.mark.parametrize("type_", ["started", "active", "inactive", "stopped", "warning"])
@pytest.mark.parametrize("output", ["text", "srt", "vtt"])
def test_other_events_are_not_in_a_transcript(type_: str, output: Any) -> None:
    formatter = make_formatter(output, 1)
    assert formatter.event(event(type_, time=1, channel=0)) == ""


def test_srt_counts_only_what_it_writes() -> None:
    formatter = make_formatter("srt", 1)
    written = [
        formatter.event(
            event("segment", start_time=time, end_time=time + 2.5, channel=0, text=text)
        )
        for time, text in enumerate(("one", "", "two"))
    ]
    assert written == [
        "1\n00:00:00,000 --> 00:00:02,500\none\n\n",
        "",
        "2\n00:00:02,500 --> 00:00:04,500\ntwo\n\n",
    ]


def test_vtt_begins_with_its_header() -> None:
    formatter = make_formatter("vtt", 1)
    assert formatter.header + formatter.event(segment(text="a & b")) == (
        "WEBVTT\n\n00:00:03.210 --> 00:00:05.940\na &amp; b\n\n"
    )


def test_jsonl_is_the_message_as_received() -> None:
    raw = '{ "type":"segment",  "text":"é\\u00e9", "x": 1.10 }'
    assert format_jsonl(parse_event(raw)) == raw + "\n"


def test_jsonl_keeps_to_one_line() -> None:
    line = format_jsonl(parse_event('{"type":\n"segment"}'))
    assert line == '{"type": "segment"}\n'


def test_trouble_says_where() -> None:
    error = event(
        "error", code="inference_failed", message="boom", channel=1, start_time=1, end_time=2
    )
    assert describe_problem(error, 2) == (
        "error inference_failed at [00:01.0 → 00:02.0] on channel 2: boom"
    )
    assert describe_problem(event("going_away", message="bye"), 1) == "going away: bye"


@pytest.mark.parametrize("message", ["hello", "[]", "{}", '{"type": 1}', b'{"type": "x"}'])
def test_what_is_no_event_is_an_error(message: str | bytes) -> None:
    with pytest.raises(ServerError, match="not an event"):
        parse_event(message)


def test_absent_and_odd_fields_are_none() -> None:
    odd = event("segment", channel="x", start_time=True, end_time="1", text=5)
    assert (odd.channel, odd.start_time, odd.end_time, odd.text) == (None, None, None, None)


def word(text: str, confidence: float) -> dict[str, Any]:
    return {"text": text, "start_time": 3.3, "end_time": 3.4, "confidence": confidence}


def test_uncertain_words_are_found_in_their_line() -> None:
    words = [word("3.2", 0.9), word("the", 0.9), word("the", 0.4), word("sea.", 0.49)]
    said = segment(text="3.2 the the sea.", words=words)
    line = format_text(said, 2)
    spans = uncertain_spans(said, line)
    assert [line[first:last] for first, last in spans] == ["the", "sea."]
    assert line[: spans[0][0]].endswith("3.2 the ")


def test_without_words_none_is_uncertain() -> None:
    said = segment(text="the sea", words=["the", "sea"])
    assert uncertain_spans(said, format_text(said, 1)) == []
