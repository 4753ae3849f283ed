"""A live call of both vendors' clients: messages in, inputs out; events in, messages out."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.audio.format import AudioFormat
from streamer.protocol.actions import Close
from streamer.protocol.events import Active, ErrorEvent, Event, Inactive, Interim, Segment
from streamer.protocol.inputs import AudioReceived, DisconnectRequested
from streamer.protocol.requests import BadRequest
from streamer.rpc.dialect import NO_MORE
from streamer.rpc.recognition.wire import RecognizerWire
from streamer.rpc.status import Status
from tests.dialects.played_events import segment, stopped, streams
from tests.rpc.recognition.messages import (
    WIRES,
    answers,
    close_of,
    live,
    opened,
    sent,
    spoken,
    start_of,
)

both = pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)


@both
def test_the_stream_begins_when_it_is_known_what_the_audio_is(wire: RecognizerWire) -> None:
    dialect, inputs = opened(wire, interim_results=True)
    assert inputs == []
    begun, audio = sent(dialect, audio_content=b"\1\2")
    start = start_of([begun])
    assert (start.format, start.interim_results) == (AudioFormat(16_000), True)
    assert (start.model, start.words, start.keyterms) == ("tiny", False, ())
    assert audio == AudioReceived(b"\1\2")
    assert sent(dialect, audio_content=b"\3") == [AudioReceived(b"\3")]
    assert sent(dialect, audio_content=b"") == []
    assert sent(dialect) == []
    assert list(dialect.read(NO_MORE)) == [DisconnectRequested()]


@both
def test_a_container_begins_at_once(wire: RecognizerWire) -> None:
    _, inputs = opened(wire, {"encoding": 2})
    assert start_of(inputs).format.is_container


@both
def test_without_audio_the_stream_is_empty(wire: RecognizerWire) -> None:
    dialect, _ = opened(wire)
    begun, ended = dialect.read(NO_MORE)
    assert start_of([begun]).interim_results is False
    assert ended == DisconnectRequested()


@both
def test_messages_out_of_turn(wire: RecognizerWire) -> None:
    for fields in ({"audio_content": b"\1"}, {}):
        with pytest.raises(BadRequest, match="'streaming_config' is missing; the first message"):
            sent(live(wire), **fields)
    with pytest.raises(BadRequest, match="'streaming_config' is missing"):
        list(live(wire).read(NO_MORE))
    dialect, _ = opened(wire)
    with pytest.raises(BadRequest, match="'streaming_config' comes a second time; allowed: in"):
        sent(dialect, streaming_config={})


@both
@given(garbage=st.binary(max_size=60))
def test_garbage_is_refused_or_means_nothing(wire: RecognizerWire, garbage: bytes) -> None:
    for dialect in (live(wire), opened(wire)[0]):
        with contextlib.suppress(BadRequest):  # and nothing else
            list(dialect.read(garbage))


@both
def test_no_message_at_all(wire: RecognizerWire) -> None:
    with pytest.raises(BadRequest, match=r"the message is no .*StreamingRecognizeRequest: "):
        list(live(wire).read(b"\xff\xff"))


@both
@given(events=streams(channels=2))
def test_each_result_comes_once_and_in_order(wire: RecognizerWire, events: list[Event]) -> None:
    config = {
        "audio_channel_count": 2,
        "enable_separate_recognition_per_channel": True,
        "enable_automatic_punctuation": True,
    }
    dialect, _ = opened(wire, config, interim_results=True)
    sent(dialect, audio_content=b"\1\2\3\4")
    results = [result for answer in answers(dialect, *events) for result in answer.results]
    expected = [
        (event.channel + 1, isinstance(event, Segment), event.output["text"])
        for event in events
        if isinstance(event, Segment | Interim) and event.output["text"]
    ]
    found = [(r.channel_tag, r.is_final, r.alternatives[0].transcript.strip()) for r in results]
    assert found == expected


@both
def test_an_output_without_text_is_no_result(wire: RecognizerWire) -> None:
    dialect, _ = opened(wire)
    sent(dialect, audio_content=b"\1")
    output = {"score": 0.5}
    other = Segment(start_time=0.5, end_time=1.5, channel=0, output=output)
    events: list[Event] = [Active(time=0.5, channel=0), Inactive(time=1.0, channel=0), other]
    assert list(answers(dialect, *events)) == []


@both
@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("bad_message", Status.INVALID_ARGUMENT),
        ("bad_format", Status.INVALID_ARGUMENT),
        ("bad_audio", Status.INVALID_ARGUMENT),
        ("overloaded", Status.RESOURCE_EXHAUSTED),
        ("internal_error", Status.INTERNAL),
    ],
)
def test_an_error_ends_the_call(wire: RecognizerWire, code: Any, status: Status) -> None:
    dialect = live(wire)
    failure = ErrorEvent(code=code, message="why", fatal=False)
    assert close_of(answers(dialect, failure)) == Close(status, "why")


@both
@pytest.mark.parametrize(
    ("code", "status"),
    [("idle_timeout", Status.ABORTED), ("session_too_long", Status.OUT_OF_RANGE)],
)
def test_a_fatal_error_lets_what_is_owed_come_first(
    wire: RecognizerWire, code: Any, status: Status
) -> None:
    dialect, _ = opened(wire)
    sent(dialect, audio_content=b"\1")
    failure = ErrorEvent(code=code, message="why", fatal=True)
    speech = (Active(time=0.5, channel=0), failure, Inactive(time=1.0, channel=0))
    answer, end = answers(dialect, *speech, segment(0.25, 1.25), stopped(1.5), Close(1000))
    assert answer.results[0].is_final
    assert end == Close(status, "why")


@both
def test_a_message_out_of_turn_costs_nothing_that_was_said(wire: RecognizerWire) -> None:
    dialect, _ = opened(wire)
    sent(dialect, audio_content=b"\1")
    failure = ErrorEvent(code="bad_message", message="why", fatal=False)
    speech = (Active(time=0.5, channel=0), failure, Inactive(time=1.0, channel=0))
    stop, answer, end = answers(dialect, *speech, segment(0.25, 1.25), stopped(1.5), Close(1000))
    assert stop == DisconnectRequested()
    assert answer.results[0].is_final
    assert end == Close(Status.INVALID_ARGUMENT, "why")


@both
def test_the_first_of_several_errors_is_told(wire: RecognizerWire) -> None:
    """Settings that no stream can have: what then ends the call finds no stream."""
    dialect, _ = opened(wire, {"encoding": 2})
    first = ErrorEvent(code="bad_message", message="first", fatal=False)
    then = ErrorEvent(code="unexpected_message", message="stop: no stream is open", fatal=False)
    assert answers(dialect, first, then) == [
        DisconnectRequested(),
        Close(Status.INVALID_ARGUMENT, "first"),
    ]


@both
def test_a_lost_segment_does_not_end_the_call(wire: RecognizerWire) -> None:
    dialect, _ = opened(wire)
    sent(dialect, audio_content=b"\1")
    lost = ErrorEvent(
        code="worker_lost", message="", fatal=False, channel=0, start_time=0.25, end_time=1.25
    )
    speech = (Active(time=0.5, channel=0), Inactive(time=1.0, channel=0))
    assert list(answers(dialect, *speech, lost)) == []
    (answer,) = answers(dialect, *speech, spoken())
    assert answer.results[0].is_final
