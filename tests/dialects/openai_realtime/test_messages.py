"""What a client sends is read in any order of its fields; what is none is explained."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.dialects.openai_realtime.messages import (
    MAX_OTHER_CHARACTERS,
    TYPES,
    Append,
    Clear,
    Commit,
    Problem,
    Refused,
    SessionUpdate,
    TranscriptionSessionUpdate,
    read_message,
)

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers()
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def problem(text: str) -> Problem:
    with pytest.raises(Refused) as refused:
        read_message(text)
    return refused.value.problem


@given(st.binary(max_size=300), st.permutations(["type", "audio", "event_id", "more"]), ANYTHING)
def test_audio_is_decoded_in_any_order_of_the_fields(
    audio: bytes, order: list[str], extra: Any
) -> None:
    fields = {
        "type": "input_audio_buffer.append",
        "audio": base64.b64encode(audio).decode(),
        "event_id": "event_1",
        "more": extra,
    }
    assert read_message(json.dumps({name: fields[name] for name in order})) == Append(audio=audio)


def test_the_other_messages() -> None:
    assert read_message('{"type": "input_audio_buffer.commit"}') == Commit()
    assert read_message('{"event_id": 7, "type": "input_audio_buffer.clear"}') == Clear(event_id=7)
    update = '{"session": {"a": null}, "type": "%s"}'
    assert read_message(update % "session.update") == SessionUpdate(session={"a": None})
    beta = read_message(update % "transcription_session.update")
    assert beta == TranscriptionSessionUpdate(session={"a": None})


@pytest.mark.parametrize(
    ("text", "code", "param", "part"),
    [
        ("nonsense", "invalid_json", None, "is not JSON"),
        ("", "invalid_json", None, "is not JSON"),
        ("[1]", "invalid_value", None, "no JSON object"),
        ('"text"', "invalid_value", None, "no JSON object"),
        ("{}", "missing_required_parameter", "type", "'type' is missing"),
        ('{"type": null}', "missing_required_parameter", "type", "'type' is missing"),
        ('{"type": 7}', "invalid_value", "type", "'type' is 7; "),
        ('{"type": "response.create"}', "invalid_value", "type", 'is "response.create"; this'),
        ('{"type": "input_audio_buffer.append"}', "invalid_value", "audio", "missing or not"),
        (
            '{"audio": "AAA", "type": "input_audio_buffer.append"}',
            "invalid_value",
            "audio",
            "not base64",
        ),
        ('{"type": "session.update"}', "invalid_value", "session", "'session' cannot be read"),
        ('{"type": "session.update", "session": []}', "invalid_value", "session", "got `array`"),
        ('{"type": "x", "y": ' + "[" * 10_000, "invalid_json", None, "recursion"),
    ],
)
def test_what_is_wrong_is_named(text: str, code: str, param: str | None, part: str) -> None:
    found = problem(text)
    assert (found.code, found.param) == (code, param)
    assert part in found.message


@pytest.mark.parametrize("kind", ["nothing", *TYPES])
def test_only_audio_may_be_long(kind: str) -> None:
    long = json.dumps({"type": kind, "session": {"a": "x" * MAX_OTHER_CHARACTERS}, "audio": ""})
    if kind == "input_audio_buffer.append":
        assert read_message(long) == Append(audio=b"")
    elif kind == "nothing":
        assert problem(long).code == "invalid_value"
    else:
        assert problem(long).code == "string_above_max_length"


@given(
    ANYTHING
    | st.fixed_dictionaries(
        {"type": st.sampled_from(TYPES) | ANYTHING},
        optional={"audio": ANYTHING, "session": ANYTHING, "event_id": ANYTHING},
    )
)
def test_any_json_is_read_or_refused(value: Any) -> None:
    try:
        read_message(json.dumps(value))
    except Refused as refused:
        message = refused.problem.message
    else:
        return
    assert message.isprintable()
    assert len(message) < 500


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    assert problem(text).code in ("invalid_json", "invalid_value")


def test_an_event_id_comes_back_if_it_is_text() -> None:
    assert problem('{"type": "x", "event_id": "mine"}').event_id == "mine"
    assert problem('{"type": "x", "event_id": {"a": 1}}').event_id is None
    assert problem('{"type": "x", "event_id": "%s"}' % ("y" * 2_000)).event_id != "y" * 2_000
