"""A call with a recording in its only message."""

from typing import Any

import pytest

from streamer.config.limits import LimitsConfig
from streamer.config.segmentation import VadConfig
from streamer.protocol.actions import Close
from streamer.protocol.events import Active, ErrorEvent, Inactive
from streamer.protocol.inputs import AudioReceived, DisconnectRequested
from streamer.protocol.requests import BadRequest
from streamer.rpc.descriptors import message_class
from streamer.rpc.dialect import NO_MORE
from streamer.rpc.recognition.recording import PIECE_BYTES, RecordingDialect
from streamer.rpc.recognition.wire import RecognizerWire
from streamer.rpc.status import Status
from streamer.session.dialect import limits_of
from tests.dialects.played_events import stopped
from tests.rpc.recognition.messages import (
    GOOGLE,
    MAX_CHANNELS,
    MODELS,
    RAW,
    RIVA,
    WIRES,
    live,
    sent,
    spoken,
    start_of,
)

both = pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
SPEECH = (Active(time=1.0, channel=0), Inactive(time=2.0, channel=0))
AUDIO = bytes(PIECE_BYTES + 10)


def recording(wire: RecognizerWire) -> RecordingDialect:
    return RecordingDialect(wire, MODELS, MAX_CHANNELS, VadConfig())


def audio(wire: RecognizerWire, data: bytes = AUDIO) -> Any:
    return {"content": data} if wire is GOOGLE else data


def written(dialect: RecordingDialect, *items: Any) -> list[Any]:
    return [one for item in items for one in dialect.write(item)]


@both
def test_the_whole_recording_is_processed(wire: RecognizerWire) -> None:
    dialect = recording(wire)
    inputs = sent(dialect, config=RAW, audio=audio(wire))
    assert not start_of(inputs).interim_results
    pieces = [one.audio for one in inputs if isinstance(one, AudioReceived)]
    assert b"".join(pieces) == AUDIO
    assert max(map(len, pieces)) == PIECE_BYTES
    assert list(dialect.read(NO_MORE)) == [DisconnectRequested()]


@both
def test_the_recording_is_not_kept_beside_its_pieces(wire: RecognizerWire) -> None:
    dialect = recording(wire)
    sent(dialect, config=RAW, audio=audio(wire))
    assert dialect._request.ByteSize() < 100


def test_the_answer_of_google() -> None:
    dialect = recording(GOOGLE)
    sent(dialect, config=RAW, audio=audio(GOOGLE))
    turn = (*SPEECH, spoken())
    answer, end = written(dialect, *turn, *turn, stopped(4.5), Close(1000))
    assert end == Close(Status.OK)
    response: Any = message_class("google.cloud.speech.v1.RecognizeResponse").FromString(answer)
    found = [result.alternatives[0].transcript for result in response.results]
    assert found == ["ever tried", " ever tried"]
    assert (response.total_billed_time.seconds, response.total_billed_time.nanos) == (
        4,
        500_000_000,
    )


def test_the_answer_of_nvidia() -> None:
    dialect = recording(RIVA)
    sent(dialect, config=RAW, audio=audio(RIVA), id={"value": "7"})
    answer, end = written(dialect, *SPEECH, spoken(), stopped(4.5), Close(1000))
    assert end == Close(Status.OK)
    response: Any = message_class("nvidia.riva.asr.RecognizeResponse").FromString(answer)
    (result,) = response.results
    assert (result.alternatives[0].transcript, result.audio_processed) == ("ever tried ", 2.25)
    assert response.id.value == "7"


@both
def test_a_recording_without_a_part_is_no_result(wire: RecognizerWire) -> None:
    dialect = recording(wire)
    sent(dialect, config=RAW, audio=audio(wire))
    lost = ErrorEvent(
        code="worker_lost", message="it died", fatal=False, channel=0, start_time=1, end_time=2
    )
    assert written(dialect, *SPEECH, lost) == [Close(Status.INTERNAL, "it died")]


@both
def test_a_recording_may_wait(wire: RecognizerWire) -> None:
    assert limits_of(recording(wire), LimitsConfig()).max_lag_seconds == 0
    assert limits_of(live(wire), LimitsConfig()).max_lag_seconds == LimitsConfig().max_lag_seconds


@both
def test_what_is_refused(wire: RecognizerWire) -> None:
    with pytest.raises(BadRequest, match=r"the message is no .*\.RecognizeRequest"):
        list(recording(wire).read(b"\xff"))
    with pytest.raises(BadRequest, match=r"'config.sample_rate_hertz' is 0; allowed"):
        sent(recording(wire), config={"encoding": 1}, audio=audio(wire))
    dialect = recording(wire)
    sent(dialect, config=RAW, audio=audio(wire))
    with pytest.raises(BadRequest, match="a second message comes; allowed: one"):
        sent(dialect, config=RAW, audio=audio(wire))
    failure = ErrorEvent(code="bad_message", message="why", fatal=False)
    assert written(recording(wire), failure) == [Close(Status.INVALID_ARGUMENT, "why")]


@both
def test_a_call_without_a_recording_is_an_error(wire: RecognizerWire) -> None:
    with pytest.raises(BadRequest, match="the request is missing"):
        list(recording(wire).read(NO_MORE))


@both
def test_a_recording_is_mixed_in_pieces(wire: RecognizerWire) -> None:
    """So that there is no second whole one."""
    dialect = recording(wire)
    stereo = {**RAW, "audio_channel_count": 2}
    kind = wire.recording_request
    message = kind(config=stereo, audio=audio(wire, bytes(10 * PIECE_BYTES))).SerializeToString()
    inputs = iter(dialect.read(message))
    start_of([next(inputs)])
    first = next(inputs)
    assert isinstance(first, AudioReceived)
    assert len(first.audio) == PIECE_BYTES
    assert len(list(inputs)) == 9


def test_audio_that_lies_elsewhere_is_refused() -> None:
    with pytest.raises(BadRequest, match=r"'audio\.uri' is given; allowed: the audio itself"):
        sent(recording(GOOGLE), config=RAW, audio={"uri": "gs://bucket/object"})
