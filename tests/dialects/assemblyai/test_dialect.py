"""One socket of AssemblyAI's live protocol: what is read, what is written, how it is closed."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.audio.format import AudioFormat
from streamer.config.segmentation import VadConfig
from streamer.dialects.assemblyai.dialect import IDLE_SECONDS, AssemblyDialect
from streamer.http.deepgram_query import ServedModel
from streamer.protocol.actions import Close, Outgoing, Reply
from streamer.protocol.codes import ErrorCode
from streamer.protocol.events import (
    Active,
    Configured,
    ErrorEvent,
    Event,
    Flushed,
    Inactive,
    Interim,
    Segment,
)
from streamer.protocol.inputs import (
    AudioReceived,
    ConfigureRequested,
    DisconnectRequested,
    FlushRequested,
    Input,
    KeepAliveReceived,
    ReplyRequested,
    StartRequested,
)
from streamer.session.dialect import UpgradeRefused, UpgradeRequest
from tests.dialects.played_events import SESSION, STARTED, segment, stopped, streams

NOW_S = 1_790_000_000.5

FIELDS: dict[str, dict[str, type]] = {
    "Begin": {"id": str, "expires_at": int},
    "SpeechStarted": {"timestamp": int},
    "Turn": {
        "turn_order": int,
        "turn_is_formatted": bool,
        "end_of_turn": bool,
        "transcript": str,
        "end_of_turn_confidence": float,
        "words": list,
    },
    "Termination": {"audio_duration_seconds": int, "session_duration_seconds": int},
    "Error": {"error": str, "error_code": int},
}
"""What the packages check; a message that is not like this ends their reading."""
WORD = {"text": str, "start": int, "end": int, "confidence": float, "word_is_final": bool}


def opened(**options: str) -> tuple[AssemblyDialect, Sequence[Input]]:
    models = [ServedModel("tiny", "moonshine", ("en",))]
    dialect = AssemblyDialect(models, VadConfig(), now=lambda: NOW_S)
    return dialect, dialect.open(request(**options)).inputs


def request(**options: str) -> UpgradeRequest:
    query = [*{"sample_rate": "16000", **options}.items()]
    return UpgradeRequest("/v3/ws", query, {"authorization": "secret"}, [], session_id=SESSION)


def read(dialect: AssemblyDialect, frame: str | bytes | dict[str, Any]) -> list[Input]:
    return list(dialect.read(json.dumps(frame) if isinstance(frame, dict) else frame))


def written(dialect: AssemblyDialect, *items: Outgoing) -> list[dict[str, Any]]:
    """The messages, each with all its fields and their types."""
    frames = [frame for item in items for frame in dialect.write(item)]
    messages = [json.loads(frame) for frame in frames if isinstance(frame, str)]
    assert len(messages) == len(frames)
    for message in messages:
        check(message)
    return messages


def check(message: dict[str, Any]) -> None:
    fields = FIELDS[message["type"]]
    assert {name: type(value) for name, value in message.items()} == {"type": str, **fields}
    for word in message.get("words", []):
        assert {name: type(value) for name, value in word.items()} == WORD


def test_a_stream_begins_with_the_request() -> None:
    dialect, inputs = opened(keyterms_prompt='["Oslo"]', min_turn_silence="100")
    (begun,) = inputs
    assert isinstance(begun, StartRequested)
    start = begun.start
    assert (start.format, start.words, start.interim_results) == (AudioFormat(16_000), True, True)
    assert (start.model, start.keyterms, start.vad.min_silence_ms) == ("tiny", ("Oslo",), 300)
    assert dialect.idle_seconds == IDLE_SECONDS
    assert dialect.open(request(inactivity_timeout="1", mode="fast")).ignored == ["mode"]
    assert dialect.idle_seconds == 5
    assert dialect.credential(request()) == "secret"
    (greeting,) = dialect.open(request()).frames
    check(json.loads(greeting))
    session = {"id": "00000000-0000-4000-0123-456789abcdef", "expires_at": int(NOW_S) + 10_800}
    assert json.loads(greeting) == {"type": "Begin", **session}


def test_what_is_refused() -> None:
    with pytest.raises(UpgradeRefused) as refused:
        opened(encoding="opus")
    dialect, _ = opened()
    answer = dialect.refuse(refused.value)
    assert answer.status_code == 400
    assert json.loads(bytes(answer.body))["error"].startswith(
        "'encoding' is \"opus\"; allowed: pcm"
    )


def test_control_messages() -> None:
    dialect, _ = opened()
    assert read(dialect, {"type": "KeepAlive"}) == [KeepAliveReceived()]
    assert read(dialect, {"type": "ForceEndpoint"}) == [FlushRequested()]
    assert read(dialect, {"type": "Terminate"}) == [DisconnectRequested()]
    assert read(dialect, b"\1\2") == [AudioReceived(b"\1\2")]
    assert read(dialect, b"") == []


def test_settings_change_within_a_stream() -> None:
    dialect, _ = opened(min_turn_silence="700")
    update = {"type": "UpdateConfiguration", "vad_threshold": 0.3, "keyterms_prompt": ["Oslo"]}
    (asked,) = read(dialect, update)
    assert isinstance(asked, ConfigureRequested)
    changed = asked.configure
    assert (changed.vad and changed.vad.min_silence_ms, changed.keyterms) == (700, ("Oslo",))
    assert changed.vad is not None
    assert changed.vad.threshold == 0.3
    done = Configured(time=0.0, model="tiny", interim_results=True, vad=STARTED.vad, keyterms=())
    assert written(dialect, done) == []
    (asked,) = read(dialect, {"type": "UpdateConfiguration", "keyterms_prompt": []})
    assert isinstance(asked, ConfigureRequested)
    assert (asked.configure.vad, asked.configure.keyterms) == (None, ())
    assert read(dialect, {"type": "UpdateConfiguration", "prompt": "Listen well."}) == []


def test_turns_grow_and_end() -> None:
    dialect, _ = opened(format_turns="true")
    output = {"text": "Ever tried"}
    speech, growing, ended = written(
        dialect,
        STARTED,
        Active(time=0.5, channel=0),
        Interim(start_time=0.25, end_time=1.4, channel=0, output=output),
        Inactive(time=1.5, channel=0),
        segment(0.25, 1.75, "Ever tried."),
    )
    assert speech["timestamp"] == 500
    assert (growing["turn_order"], growing["end_of_turn"]) == (0, False)
    assert [word["start"] for word in growing["words"]] == [500, 900]
    assert (ended["turn_order"], ended["end_of_turn"], ended["turn_is_formatted"]) == (
        0,
        True,
        True,
    )
    assert (ended["transcript"], ended["words"][-1]["end"]) == ("Ever tried.", 1_500)
    (following,) = written(dialect, segment(3, 4))
    assert following["turn_order"] == 1


def test_turns_that_are_not_to_be_formatted() -> None:
    dialect, _ = opened(format_turns="False")
    (plain,) = written(dialect, segment(0, 1, "No matter — try again!"))
    assert (plain["transcript"], plain["turn_is_formatted"]) == ("no matter try again", False)
    assert [word["text"] for word in plain["words"]] == ["no", "matter", "try", "again"]
    (asked,) = read(dialect, {"type": "UpdateConfiguration", "format_turns": True})
    assert isinstance(asked, ReplyRequested)
    assert written(dialect, Reply(asked.content)) == []
    (formatted,) = written(dialect, segment(2, 3, "Yes."))
    assert (formatted["transcript"], formatted["turn_is_formatted"]) == ("Yes.", True)


@settings(deadline=None)
@given(streams(), st.booleans())
def test_every_segment_is_one_turn_in_order(events: list[Event], formatted: bool) -> None:
    dialect, _ = opened(format_turns=str(formatted))
    read(dialect, {"type": "Terminate"})
    messages = written(dialect, *events)
    assert messages[-1]["type"] == "Termination"
    turns = [message for message in messages if message["type"] == "Turn"]
    ended = [turn for turn in turns if turn["end_of_turn"]]
    results = [e for e in events if isinstance(e, Segment | ErrorEvent)]
    assert [turn["turn_order"] for turn in ended] == [*range(len(results))]
    texts = [e.output["text"] if isinstance(e, Segment) else "" for e in results]
    if formatted:
        assert [turn["transcript"] for turn in ended] == texts
    orders = [turn["turn_order"] for turn in turns]
    assert orders == sorted(orders)
    for turn in turns:
        times = [time for word in turn["words"] for time in (word["start"], word["end"])]
        assert times == sorted(times)
        assert bool(turn["words"]) == bool(turn["transcript"])


def test_a_flush_of_nothing_has_no_answer() -> None:
    dialect, _ = opened()
    assert written(dialect, Flushed(time=1.0, channel=0)) == []


@pytest.mark.parametrize(
    ("code", "close"),
    [("idle_timeout", 3005), ("session_too_long", 3008), ("too_large", 3006)],
)
def test_a_fatal_error_is_told_behind_all_turns(code: ErrorCode, close: int) -> None:
    """The packages read nothing after it."""
    dialect, _ = opened()
    failure = ErrorEvent(code=code, message="too much", fatal=True)
    read(dialect, {"type": "Terminate"})
    (turn,) = written(dialect, failure, segment(0, 1), stopped(1.0))
    assert turn["type"] == "Turn"
    told, closed = dialect.write(Close(1000, "too much"))
    assert isinstance(told, str)
    message = json.loads(told)
    assert message == {"type": "Error", "error": "too much", "error_code": close}
    assert closed == Close(close, "too much")


@pytest.mark.parametrize(
    ("code", "close"), [("bad_audio", 3006), ("overloaded", 3005), ("internal_error", 3005)]
)
def test_a_container_that_cannot_be_decoded_closes_the_socket(code: ErrorCode, close: int) -> None:
    dialect, (begun,) = opened(encoding="ogg_opus")
    assert isinstance(begun, StartRequested)
    assert begun.start.format.is_container
    failure = ErrorEvent(code=code, message="it is none", fatal=False)
    told, closed = dialect.write(failure)
    assert isinstance(told, str)
    assert json.loads(told) == {"type": "Error", "error": "it is none", "error_code": close}
    assert closed == Close(close, "it is none")


def test_how_a_socket_is_closed() -> None:
    dialect, _ = opened()
    read(dialect, {"type": "Terminate"})
    (told,) = written(dialect, stopped(2.4))
    assert (told["audio_duration_seconds"], told["session_duration_seconds"]) == (2, 0)
    assert [*dialect.write(Close(1000))] == [Close(1000)]


def test_a_server_that_ends_does_not_pretend_that_the_client_has_ended_the_session() -> None:
    """Pipecat ends its pipeline at a `Termination`, and connects again without one."""
    dialect, _ = opened()
    (turn,) = written(dialect, segment(0, 1), stopped(1.0))
    assert turn["type"] == "Turn"
    close = Close(1012, "the server is shutting down")
    assert [*dialect.write(close)] == [close]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text() | st.binary(max_size=50), max_size=8))
def test_whatever_comes_is_read(frames: list[str | bytes]) -> None:
    dialect, _ = opened()
    found = [given for frame in frames for given in read(dialect, frame)]
    audio = b"".join(given.audio for given in found if isinstance(given, AudioReceived))
    assert audio == b"".join(frame for frame in frames if isinstance(frame, bytes))
