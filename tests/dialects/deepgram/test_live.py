"""One socket of Deepgram's live protocol: what is read, what is written, how it is closed."""

import contextlib
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streamer.access.deepgram_errors import request_id_of
from streamer.audio.format import AudioFormat
from streamer.config.key_terms import MAX_KEY_TERMS
from streamer.config.segmentation import VadConfig
from streamer.dialects.deepgram.live import LiveDialect
from streamer.http.deepgram_query import ServedModel
from streamer.protocol.actions import AudioReached, Close, Outgoing, Reply
from streamer.protocol.codes import ErrorCode
from streamer.protocol.events import Active, Configured, ErrorEvent, Inactive
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
from streamer.protocol.requests import BadRequest
from streamer.session.dialect import UpgradeRefused, UpgradeRequest
from tests.dialects.deepgram.test_incoming_audio import SAMPLES, wave_file
from tests.dialects.played_events import STARTED, segment, stopped

RAW = {"encoding": "linear16", "sample_rate": "16000", "interim_results": "true"}


def opened(**options: str) -> tuple[LiveDialect, Sequence[Input]]:
    dialect = LiveDialect([ServedModel("tiny", "moonshine", ("en",))], 8, VadConfig())
    return dialect, dialect.open(request(**options)).inputs


def request(**options: str) -> UpgradeRequest:
    offered = ["token", "secret", "x-deepgram-session-id", "1"]
    return UpgradeRequest("/v1/listen", [*options.items()], {}, offered, session_id="f" * 16)


def read(dialect: LiveDialect, frame: str | bytes | dict[str, Any]) -> list[Input]:
    return list(dialect.read(json.dumps(frame) if isinstance(frame, dict) else frame))


def written(dialect: LiveDialect, item: Outgoing) -> list[dict[str, Any] | Close]:
    return [each if isinstance(each, Close) else json.loads(each) for each in dialect.write(item)]


def test_a_stream_begins_with_the_request() -> None:
    dialect, inputs = opened(**RAW, keyterm="Oslo", endpointing="10")
    (begun,) = inputs
    assert isinstance(begun, StartRequested)
    start = begun.start
    assert (start.format, start.words, start.interim_results) == (AudioFormat(16_000), True, True)
    assert (start.model, start.keyterms, start.vad.min_silence_ms) == ("tiny", ("Oslo",), 300)
    opening = dialect.open(request(**RAW, numerals="true"))
    assert (dialect.credential(request()), opening.subprotocol) == ("secret", "token")
    assert opening.ignored == ["numerals"]


@pytest.mark.parametrize(
    "options", [{"encoding": "opus"}, {"encoding": "linear16", "channels": "9"}]
)
def test_what_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(UpgradeRefused) as refused:
        opened(**options)
    assert refused.value.status == 400


def test_control_messages() -> None:
    dialect, _ = opened(**RAW)
    assert read(dialect, {"type": "KeepAlive"}) == [KeepAliveReceived()]
    assert read(dialect, {"type": "Finalize", "channel": 0}) == [FlushRequested()]
    assert read(dialect, {"type": "CloseStream"}) == [DisconnectRequested()]
    assert read(dialect, b"\1\2") == [AudioReceived(b"\1\2")]
    assert read(dialect, b"") == []


def test_key_terms_change_within_a_stream() -> None:
    dialect, _ = opened(**RAW)
    (asked,) = read(dialect, {"type": "Configure", "keyterms": ["Oslo"]})
    assert isinstance(asked, ConfigureRequested)
    assert asked.configure.keyterms == ("Oslo",)
    done = Configured(
        time=0.0, model="tiny", interim_results=False, vad=STARTED.vad, keyterms=("Oslo",)
    )
    (answer,) = written(dialect, done)
    assert isinstance(answer, dict)
    assert (answer["type"], answer["keyterms"]) == ("ConfigureSuccess", ["Oslo"])


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"features": {"numerals": True}}, "ConfigureSuccess"),
        ({"keyterms": None}, "ConfigureSuccess"),
        ({"keyterms": ["a"] * (MAX_KEY_TERMS + 1)}, "ConfigureFailure"),
        ({"keyterms": [1]}, "ConfigureFailure"),
        ({"keyterms": {}}, "ConfigureFailure"),
    ],
)
def test_a_configure_that_changes_nothing_is_answered(fields: dict[str, Any], kind: str) -> None:
    dialect, _ = opened(**RAW)
    (asked,) = read(dialect, {"type": "Configure", **fields})
    assert isinstance(asked, ReplyRequested)
    (answer,) = written(dialect, Reply(asked.content))
    assert isinstance(answer, dict)
    assert answer["type"] == kind
    assert "keyterms" not in answer


def test_the_audio_tells_when_an_utterance_is_over() -> None:
    """By the length of what has arrived, once the detector has had it."""
    dialect, _ = opened(**RAW, utterance_end_ms="1000")
    second = bytes(32_000)
    read(dialect, second * 2)
    for event in (STARTED, Active(time=0.5, channel=0), Inactive(time=1.5, channel=0)):
        assert written(dialect, event) == []
    assert len(written(dialect, segment(0.25, 1.75))) == 1
    assert read(dialect, second[:16_000]) == [AudioReceived(second[:16_000])]  # 2.5 s
    *_, reached = read(dialect, second)  # 3.5 s: and 0.35 s for speech that is not certain yet
    assert isinstance(reached, ReplyRequested)
    (ended,) = written(dialect, Reply(reached.content))
    assert ended == {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": 1.5}
    assert read(dialect, second) == [AudioReceived(second)]


def test_how_the_socket_is_closed() -> None:
    dialect, _ = opened(**RAW)
    assert [kind["type"] for kind in written(dialect, stopped(1.0)) if isinstance(kind, dict)] == [
        "Metadata"
    ]
    restart = Close(1012, "the server is shutting down")
    assert written(dialect, restart) == [restart]
    idle = ErrorEvent(code="idle_timeout", message="nothing for 30 s", fatal=True)
    assert written(dialect, idle) == []
    (closed,) = written(dialect, Close(1000, "nothing for 30 s"))
    assert isinstance(closed, Close)
    assert (closed.code, closed.reason[:8]) == (1011, "NET-0001")


def test_audio_in_an_unknown_format_closes_the_socket() -> None:
    dialect, inputs = opened()
    assert inputs == ()
    with pytest.raises(BadRequest) as refused:
        read(dialect, b"FORM\0\0\0\0AIFF" + bytes(100))
    failure = ErrorEvent(code="bad_format", message=str(refused.value), fatal=False)
    (closed,) = written(dialect, failure)
    assert isinstance(closed, Close)
    assert (closed.code, closed.reason[:10]) == (1008, "DATA-0000:")


@pytest.mark.parametrize(
    ("code", "closed"),
    [
        ("bad_audio", (1008, "DATA-0000: why")),
        ("overloaded", (1013, "why")),
        ("internal_error", (1011, "why")),
    ],
)
def test_a_container_that_cannot_be_decoded_closes_the_socket(
    code: ErrorCode, closed: tuple[int, str]
) -> None:
    dialect, _ = opened()
    begun, audio = read(dialect, b"OggS\0\2" + bytes(100))
    assert isinstance(begun, StartRequested)
    assert begun.start.format.is_container
    assert audio == AudioReceived(b"OggS\0\2" + bytes(100))
    (end,) = written(dialect, ErrorEvent(code=code, message="why", fatal=False))
    assert isinstance(end, Close)
    assert (end.code, end.reason) == closed


def test_how_far_a_container_is_decoded_is_what_ends_an_utterance() -> None:
    """Only the container says how long its audio is."""
    dialect, _ = opened(utterance_end_ms="1000", interim_results="true")
    read(dialect, b"OggS\0\2" + bytes(100))
    events = (STARTED, Active(time=0.2, channel=0), Inactive(time=1.0, channel=0))
    for event in (*events, segment(0.0, 1.0)):
        written(dialect, event)
    kinds = [
        [
            each["type"]
            for each in written(dialect, AudioReached(time=time))
            if isinstance(each, dict)
        ]
        for time in (1.0, 1.9, 3.0, 4.0)
    ]
    assert kinds == [[], [], ["UtteranceEnd"], []]


def test_a_socket_without_any_audio_ends_like_others() -> None:
    dialect, _ = opened()
    begun, ended = read(dialect, {"type": "CloseStream"})
    assert isinstance(begun, StartRequested)
    assert ended == DisconnectRequested()


def test_a_finalize_before_all_audio_is_answered_and_decides_nothing() -> None:
    dialect, _ = opened()
    (asked,) = read(dialect, {"type": "Finalize"})
    assert isinstance(asked, ReplyRequested)
    (answer,) = written(dialect, Reply(asked.content))
    assert isinstance(answer, dict)
    assert (answer["type"], answer["from_finalize"]) == ("Results", True)
    begun, audio = read(dialect, wave_file(48_000, 1))
    assert isinstance(begun, StartRequested)
    assert begun.start.format == AudioFormat(48_000)
    assert audio == AudioReceived(SAMPLES)
    assert read(dialect, {"type": "Finalize"}) == [FlushRequested()]


def test_key_terms_change_before_the_format_is_known() -> None:
    dialect, _ = opened(keyterm="Bergen")
    for fields, expected in (({"keyterms": ["Oslo"]}, ["Oslo"]), ({}, None)):
        (asked,) = read(dialect, {"type": "Configure", **fields})
        assert isinstance(asked, ReplyRequested)
        (answer,) = written(dialect, Reply(asked.content))
        assert isinstance(answer, dict)
        assert (answer["type"], answer.get("keyterms")) == ("ConfigureSuccess", expected)
        assert answer["request_id"] == request_id_of("f" * 16)
    begun, _ = read(dialect, wave_file(48_000, 1))
    assert isinstance(begun, StartRequested)
    assert begun.start.keyterms == ("Oslo",)


@settings(max_examples=100)
@given(st.lists(st.text() | st.binary(max_size=50), max_size=8), st.booleans())
@example([b"#!AMR\n"], False)
def test_whatever_comes_is_read(frames: list[str | bytes], raw: bool) -> None:
    dialect, _ = opened(**(RAW if raw else {"sample_rate": "8000"}))
    found: list[Input] = []
    for frame in frames:
        # Without `encoding`, these few bytes may be the mark of a container.
        with contextlib.nullcontext() if raw else contextlib.suppress(BadRequest):
            found += read(dialect, frame)
    audio = b"".join(given.audio for given in found if isinstance(given, AudioReceived))
    sent = b"".join(frame for frame in frames if isinstance(frame, bytes))
    assert audio == (sent if raw or audio else b"")
