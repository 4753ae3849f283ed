"""Requests and events of our own service, as the WebSocket protocol has them."""

import contextlib
from typing import Any

import msgspec
import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st

from streamer.protocol.events import ErrorEvent, Interim, Resumed, Segment, Started
from streamer.protocol.requests import BadRequest, Configure, Start, request_of
from streamer.rpc.descriptors import message_class
from streamer.rpc.own.events import write_event
from streamer.rpc.own.requests import read_request

REQUEST = message_class("streamer.v1.StreamRequest")
RESPONSE = message_class("streamer.v1.StreamResponse")
FORMAT = {"sample_rate": 16_000}


def read(**request: Any) -> Any:
    tree = read_request(REQUEST(**request).SerializeToString())
    assert isinstance(tree, dict)
    return request_of(tree, max_channels=8)


def event(given: Any) -> Any:
    return RESPONSE.FromString(write_event(given))


@given(st.binary(max_size=1_000))
def test_audio_is_audio(audio: bytes) -> None:
    assert read_request(REQUEST(audio=audio).SerializeToString()) == audio


@given(st.binary(max_size=200))
def test_whatever_comes_is_read_or_refused(message: bytes) -> None:
    with contextlib.suppress(BadRequest):
        read_request(message)


def test_a_start_with_everything() -> None:
    vad = {"threshold": 0.25, "min_silence_ms": 300, "min_speech_ms": 0, "max_segment_ms": 9_000}
    start = read(
        start={
            "format": {**FORMAT, "channels": 2, "bit_depth": 32, "is_float": True, "encoding": 1},
            "interim_results": True,
            "vad": vad,
            "model": "m",
            "words": True,
            "keyterms": ["Oslo", "Ærø"],
            "trace_id": "0" * 32,
            "eager": True,
        }
    )
    assert isinstance(start, Start)
    assert start.format.is_float
    assert start.format.encoding == "pcm"
    assert msgspec.to_builtins(start.vad) == {**vad, "prefix_padding_ms": None}
    assert (start.model, start.words, start.keyterms) == ("m", True, ("Oslo", "Ærø"))
    assert start.eager


def test_what_is_absent_has_its_default() -> None:
    assert read(start={"format": FORMAT}) == request_of(
        {"request": "start", "format": FORMAT}, max_channels=8
    )
    assert read(configure={}) == Configure()


@pytest.mark.parametrize(("number", "name"), [(0, "pcm"), (1, "pcm"), (4, "auto")])
def test_encodings(number: int, name: str) -> None:
    assert read(start={"format": {**FORMAT, "encoding": number}}).format.encoding == name


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"start": {}}, "'format' is missing"),
        ({"start": {"format": {**FORMAT, "encoding": 99}}}, "'format.encoding'"),
        ({"start": {"format": FORMAT, "vad": {"threshold": float("nan")}}}, "'vad.threshold'"),
        ({"start": {"format": FORMAT, "keyterms": ["x"] * 101}}, "'keyterms'"),
        ({"configure": {"vad": {"min_silence_ms": 1}}}, "'vad.min_silence_ms' is 1"),
    ],
)
def test_an_error_names_the_field(request_: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        read(**request_)


def test_what_a_model_gives_has_a_place() -> None:
    words = [{"text": "Oslo", "start_time": 0.25, "end_time": 0.5, "confidence": None}]
    output = {"text": "Oslo", "confidence": 0.5, "words": words, "scores": {"joy": [1, None, "x"]}}
    sent = event(Segment(start_time=0, end_time=1.5, channel=1, output=output, flushed=True))
    assert (sent.segment.text, sent.segment.confidence, sent.segment.flushed) == ("Oslo", 0.5, True)
    assert [word.end_time for word in sent.segment.words] == [0.5]
    assert not sent.segment.words[0].HasField("confidence")
    assert MessageToDict(sent.segment.output) == {"scores": {"joy": [1.0, None, "x"]}}


def test_a_model_cannot_replace_the_envelope_and_may_use_other_types() -> None:
    output = {"text": 3, "confidence": "high", "words": "two", "end_time": 9, "is_final": False}
    sent = event(Segment(start_time=0, end_time=1.5, channel=0, output=output))
    assert sent.segment.end_time == 1.5
    assert not sent.segment.HasField("text")
    assert MessageToDict(sent.segment.output) == {"text": 3.0, "confidence": "high", "words": "two"}


def test_an_interim_has_text() -> None:
    sent = event(Interim(start_time=0, end_time=1.5, channel=0, output={"text": ""}))
    assert sent.interim.HasField("text")
    assert not sent.interim.eager


@pytest.mark.parametrize("eager", [False, True])
def test_an_eager_interim_has_what_its_segment_has(eager: bool) -> None:
    words = [{"text": "Oslo", "start_time": 0.25, "end_time": 0.5, "confidence": 0.5}]
    output = {"text": "Oslo", "confidence": 0.5, "words": words, "n": 1}
    given_ = Interim(start_time=0, end_time=1.5, channel=1, output=output, eager=eager)
    sent = event(given_).interim
    assert (sent.text, sent.confidence, sent.eager) == ("Oslo", 0.5, eager)
    assert [word.text for word in sent.words] == (["Oslo"] if eager else [])
    assert ("words" in sent.output) == (not eager), "a model's own field of this name stays"


def test_speech_that_goes_on() -> None:
    resumed = event(Resumed(time=1.25, channel=1)).resumed
    assert (resumed.time, resumed.channel) == (1.25, 1)


def test_what_is_absent_in_an_event_is_absent() -> None:
    error = event(ErrorEvent(code="bad_message", message="…", fatal=False)).error
    assert not error.HasField("channel")
    started = Started(
        session_id="s",
        trace_id="t",
        model="m",
        sample_rate=16_000,
        interim_results=False,
        vad=None,
        max_message_bytes=1,
        protocol=1,
    )
    assert not event(started).started.HasField("vad")
    assert not event(started).started.HasField("words")
    assert not event(started).started.HasField("eager")
