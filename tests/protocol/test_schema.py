"""Each place that describes the messages agrees with the server's types.

The places are the Python client, the declarations and requests of the JavaScript client, and
`docs/protocol.md`. The checks must be able to fail: here the server's types change, in
`test_schema_python.py` and `test_schema_texts.py` one of the other places.
"""

from collections.abc import Callable
from dataclasses import fields, replace

import msgspec
import pytest

from streamer.models.timed_word import TimedWord
from streamer_client.events import Word
from tests.protocol.schema import server
from tests.protocol.schema.places import CHECKS, PAGE, Sources, problems, sources
from tests.protocol.schema.syntax import declarations

GIVEN = sources()
SCHEMA = server.schema(GIVEN.structs)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_each_place_agrees_with_the_server(check: Callable[[Sources], list[str]]) -> None:
    assert check(GIVEN) == []


def test_everything_is_compared() -> None:
    assert SCHEMA.keys() == {
        *("start", "start.format", "start.vad", "configure", "configure.vad"),
        *("flush", "keep_alive", "stop"),
        *(
            "started",
            "started.vad",
            "configured",
            "configured.vad",
            "active",
            "inactive",
            "interim",
            "resumed",
            "segment",
        ),
        *("flushed", "warning", "error", "stopped", "stopped.seconds", "going_away"),
    }
    assert {"start_time", "is_final", "flushed"} < SCHEMA["segment"].keys()
    assert "output" not in SCHEMA["segment"]


def test_the_fields_of_words() -> None:
    """They are in the model's output, which the server's types of events do not describe."""
    of_server = [field.name for field in msgspec.structs.fields(TimedWord)]
    assert [field.name for field in fields(Word)] == of_server
    word = declarations(GIVEN.messages_js)["Word"]
    assert not isinstance(word, str)
    assert [*word] == of_server


# --- A change of the server's types ---

CLIENT_TABLES, DECLARATIONS, SENT = "the tables of events.py", "messages.js", "sendRequest()"
CONNECT, TRANSCRIBE = "connect() of api.py", "transcribe() of api.py"
STREAM = "Stream of stream.py"
PLACES_OF_REQUESTS = {
    "start": {CONNECT, TRANSCRIBE, "ClientOptions of options.js", SENT, PAGE},
    "start.format": {CONNECT, "FormatSettings of formats.py", DECLARATIONS, PAGE},
    "start.vad": {DECLARATIONS, PAGE},
    "configure": {STREAM, SENT, PAGE},
    "configure.vad": {DECLARATIONS, PAGE},
    "flush": {STREAM, SENT, PAGE},
    "keep_alive": {STREAM, SENT, PAGE},
    "stop": {STREAM, SENT, PAGE},
}


def extended(struct: type[msgspec.Struct]) -> type[msgspec.Struct]:
    config = struct.__struct_config__
    return msgspec.defstruct(
        struct.__name__, [("added", int, 0)],
        bases=(struct,), tag=config.tag, frozen=True, kw_only=True,
    )  # fmt: skip


@pytest.mark.parametrize("name", GIVEN.structs)
def test_a_field_that_is_added_to_the_server_only(name: str) -> None:
    structs = {**GIVEN.structs, name: extended(GIVEN.structs[name])}
    found = problems(replace(GIVEN, structs=structs))
    places = PLACES_OF_REQUESTS.get(name, {CLIENT_TABLES, DECLARATIONS, PAGE})
    if name in ("interim", "segment"):
        places = {*places, "encode_event()"}
    assert all("`added` is missing in " in problem for problem in found)
    assert {problem.split(" is missing in ")[1] for problem in found} == places


@pytest.mark.parametrize("name", [name for name in GIVEN.structs if "." not in name])
def test_a_type_of_message_that_is_added_to_the_server_only(name: str) -> None:
    config = GIVEN.structs[name].__struct_config__
    new = msgspec.defstruct("New", [], tag_field=config.tag_field, tag="new")
    found = problems(replace(GIVEN, structs={**GIVEN.structs, "new": new}))
    is_request = config.tag_field == "request"
    places = {STREAM, SENT, PAGE} if is_request else {CLIENT_TABLES, DECLARATIONS, PAGE}
    assert set(found) == {f"`new` is missing in {place}" for place in places}


def test_a_code_that_is_added_to_the_server_only() -> None:
    errors = problems(replace(GIVEN, error_codes=GIVEN.error_codes | {"added"}))
    warnings = problems(replace(GIVEN, warning_codes=GIVEN.warning_codes | {"added"}))
    for kind, found in (("errors", errors), ("warnings", warnings)):
        explained = f"{kind.upper()} of explanations.js"
        places = {f"the {kind} of {PAGE}", explained}
        assert set(found) == {f"`added` is missing in {place}" for place in places}


def test_a_code_that_is_removed_from_the_server_only() -> None:
    found = problems(replace(GIVEN, error_codes=GIVEN.error_codes - {"too_large", "overloaded"}))
    assert {problem for problem in found if "overloaded" in problem} == {
        f"`overloaded` is too much in the errors of {PAGE}",
        "`overloaded` is too much in PASSING of reconnect.py",
    }
    assert "`too_large` is too much in NOT_RETRYABLE of reconnector.js" in found
