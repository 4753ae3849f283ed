"""The messages of Deepgram's live protocol, as the parsers of its clients demand them."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.dialects.deepgram.live_events import LiveEvents, LiveOptions, Reached
from streamer.dialects.deepgram.live_messages import encode
from streamer.http.deepgram_query import ServedModel
from streamer.protocol.events import (
    Active,
    ErrorEvent,
    Event,
    Flushed,
    Inactive,
    Interim,
    Segment,
    WarningEvent,
)
from tests.dialects.played_events import SESSION, STARTED, segment, stopped, streams

TINY = ServedModel("moonshine-tiny-en", "moonshine", ("en",))
CREATED = datetime(2026, 11, 28, 13, 1, 55, 120_000, tzinfo=UTC)


def messages(
    events: Iterable[Event | Reached],
    channels: int = 1,
    *,
    punctuated: bool = True,
    vad_events: bool = True,
    utterance_end_s: float | None = 1.0,
) -> list[dict[str, Any]]:
    options = LiveOptions(punctuated, vad_events, utterance_end_s)
    made = LiveEvents(TINY, channels, options, CREATED)
    return [json.loads(encode(message)) for event in events for message in made.messages(event)]


def kinds(found: list[dict[str, Any]]) -> list[str]:
    return [message["type"] for message in found]


SPOKEN: list[Event] = [
    STARTED,
    Active(time=0.352, channel=0),
    Interim(start_time=0.0, end_time=1.0, channel=0, output={"text": "Ever"}),
    Inactive(time=1.216, channel=0),
    Segment(
        start_time=0.0,
        end_time=1.466,
        channel=0,
        output={
            "text": "Ever tried.",
            "confidence": 0.97,
            "words": [
                {"text": "Ever", "start_time": 0.352, "end_time": 0.7, "confidence": 0.98},
                {"text": "tried.", "start_time": 0.7, "end_time": 1.2, "confidence": 0.96},
            ],
        },
    ),
]


def test_a_stream_from_start_to_end() -> None:
    request_id = "00000000-0000-4000-0123-456789abcdef"
    assert request_id.replace("-", "").endswith(SESSION)
    no_model_uuid = "00000000-0000-0000-0000-000000000000"
    info = {"name": "moonshine-tiny-en", "version": "1", "arch": "moonshine"}
    metadata = {"request_id": request_id, "model_info": info, "model_uuid": no_model_uuid}
    ever = {"word": "ever", "start": 0.352, "end": 0.7, "confidence": 0.98}
    tried = {"word": "tried", "start": 0.7, "end": 1.2, "confidence": 0.96}
    estimated = {"word": "ever", "start": 0.352, "end": 1.0, "confidence": 0.9}
    assert messages([*SPOKEN, stopped(9.96)]) == [
        {"type": "SpeechStarted", "channel": [0, 1], "timestamp": 0.352},
        {
            "type": "Results",
            "channel_index": [0, 1],
            "duration": 1.0,
            "start": 0.0,
            "is_final": False,
            "speech_final": False,
            "channel": {
                "alternatives": [
                    {
                        "transcript": "Ever",
                        "confidence": 0.9,
                        "words": [{**estimated, "punctuated_word": "Ever"}],
                    }
                ]
            },
            "metadata": metadata,
            "from_finalize": False,
        },
        {
            "type": "Results",
            "channel_index": [0, 1],
            "duration": 1.466,
            "start": 0.0,
            "is_final": True,
            "speech_final": True,
            "channel": {
                "alternatives": [
                    {
                        "transcript": "Ever tried.",
                        "confidence": 0.97,
                        "words": [
                            {**ever, "punctuated_word": "Ever"},
                            {**tried, "punctuated_word": "tried."},
                        ],
                    }
                ]
            },
            "metadata": metadata,
            "from_finalize": False,
        },
        {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": 1.2},
        {
            "type": "Metadata",
            "transaction_key": "deprecated",
            "request_id": request_id,
            "sha256": "0" * 64,
            "created": "2026-11-28T13:01:55.120Z",
            "duration": 9.96,
            "channels": 1,
            "models": [no_model_uuid],
            "model_info": {no_model_uuid: info},
        },
    ]


def test_without_punctuation_and_events() -> None:
    found = messages(SPOKEN, punctuated=False, vad_events=False, utterance_end_s=None)
    assert kinds(found) == ["Results", "Results"]
    (said,) = found[1]["channel"]["alternatives"]
    assert said["transcript"] == "ever tried"
    assert [word.keys() for word in said["words"]] == [{"word", "start", "end", "confidence"}] * 2


def test_a_finalize_is_always_answered() -> None:
    flushed = Flushed(time=2.0, channel=0)
    with_text: list[Event] = [Active(time=0.5, channel=0), Inactive(time=2.0, channel=0)]
    found = messages([*with_text, segment(0.0, 2.0, ended_by="flush"), flushed, flushed])
    results = [message for message in found if message["type"] == "Results"]
    assert [message["from_finalize"] for message in results] == [True, True]
    assert [message["channel"]["alternatives"][0]["transcript"] for message in results] == [
        "Yes.",
        "",
    ]
    assert (results[1]["start"], results[1]["duration"]) == (2.0, 0.0)
    assert results[1]["is_final"]
    assert results[1]["speech_final"]


def test_a_segment_that_was_cut_for_its_length_does_not_end_the_speech() -> None:
    (result,) = messages([segment(0.0, 20.0, ended_by="cut")])
    assert result["is_final"]
    assert not result["speech_final"]


def test_a_failed_segment_ends_the_turn() -> None:
    failure = ErrorEvent(
        code="worker_lost", message="", fatal=False, channel=0, start_time=0.25, end_time=2.0
    )
    found = messages([Active(time=0.5, channel=0), Inactive(time=2.0, channel=0), failure])
    assert kinds(found) == ["SpeechStarted", "Results"]
    assert found[1]["speech_final"]
    assert found[1]["channel"]["alternatives"] == [
        {"transcript": "", "confidence": 0.0, "words": []}
    ]


@pytest.mark.parametrize(
    "event",
    [
        WarningEvent(code="lagging", message=""),
        ErrorEvent(code="bad_message", message="", fatal=False),
    ],
)
def test_what_this_protocol_has_no_message_for(event: Event) -> None:
    assert messages([event]) == []


SPEECH = [Active(time=0.5, channel=0), Inactive(time=2.0, channel=0), segment(0.25, 2.25)]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([*SPEECH, Reached(2.9)], []),
        ([*SPEECH, Reached(3.0), Reached(9.0)], ["UtteranceEnd"]),
        ([*SPEECH, Active(time=2.9, channel=0), Reached(4.0)], ["SpeechStarted"]),
        ([*SPEECH, Active(time=3.1, channel=0)], ["UtteranceEnd", "SpeechStarted"]),
        ([*SPEECH, Flushed(time=2.5, channel=0)], ["Results"]),
        ([*SPEECH, Flushed(time=3.5, channel=0)], ["Results", "UtteranceEnd"]),
        ([*SPEECH[:2], Reached(4.0), SPEECH[2]], ["Results", "UtteranceEnd"]),
        ([*SPEECH[:2], segment(0.25, 2.25, ""), Reached(4.0)], ["Results"]),
    ],
)
def test_the_end_of_an_utterance(events: list[Event | Reached], expected: list[str]) -> None:
    settled = 2 if segment(0.25, 2.25) in events[:3] else 1
    assert kinds(messages(events))[settled:] == expected


@settings(max_examples=60)
@given(streams(channels=2), st.booleans())
def test_whatever_happens_in_a_stream(events: list[Event], punctuated: bool) -> None:
    found = messages(events, 2, punctuated=punctuated)
    assert kinds(found)[-1:] == ["Metadata"]
    assert set(kinds(found)) <= {"Results", "SpeechStarted", "UtteranceEnd", "Metadata"}
    for channel in range(2):
        _check_channel(events, found, channel)


def _check_channel(events: list[Event], found: list[dict[str, Any]], channel: int) -> None:
    own = [
        message
        for message in found
        if channel == (message.get("channel_index") or message.get("channel", [channel]))[0]
    ]
    finals = [m for m in own if m["type"] == "Results" and m["is_final"]]
    settled = [
        event
        for event in events
        if isinstance(event, Segment | ErrorEvent) and event.channel == channel
    ]
    answered = [event for event in events if isinstance(event, Flushed)]
    assert len(finals) - len(settled) in range(len(answered) + 1)
    from_finalize = [m for m in finals if m["from_finalize"]]
    assert len(from_finalize) == sum(event.channel == channel for event in answered)
    for message in [m for m in own if m["type"] == "Results"]:
        _check_results(message)
    said = [m for m in own if m["type"] != "Results" or m["is_final"]]
    said = [m for m in said if m["type"] != "Results" or m["channel"]["alternatives"][0]["words"]]
    for before, after in pairwise(m for m in said if m["type"] in ("Results", "UtteranceEnd")):
        assert after["type"] == "Results" or before["type"] == "Results", "two ends, nothing said"


def _check_results(message: dict[str, Any]) -> None:
    (said,) = message["channel"]["alternatives"]
    start, end = message["start"], message["start"] + message["duration"]
    times = [time for word in said["words"] for time in (word["start"], word["end"])]
    assert times == sorted(times)
    assert all(start - 0.001 <= time <= end + 0.001 for time in times)
    assert bool(said["transcript"]) == bool(said["words"])
    assert (said["confidence"] > 0) == bool(said["transcript"])
    if "punctuated_word" not in (said["words"] or [{}])[0]:
        assert said["transcript"] == " ".join(word["word"] for word in said["words"])
        assert said["transcript"] == said["transcript"].lower()
