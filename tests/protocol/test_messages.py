"""The wire types, field by field: what is read, what is refused and how, what is written."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.audio.format import AudioFormat
from streamer.config.segmentation import VadConfig
from streamer.protocol.events import (
    Active,
    ChannelSeconds,
    ErrorEvent,
    Event,
    Flushed,
    GoingAway,
    Inactive,
    Interim,
    Resumed,
    Segment,
    Started,
    Stopped,
    VadInForce,
    WarningEvent,
    encode_event,
)
from streamer.protocol.requests import (
    BadRequest,
    Flush,
    KeepAlive,
    Request,
    Start,
    Stop,
    VadOptions,
    decode_request,
)

FORMAT = {"sample_rate": 16_000}
START = {"request": "start", "format": FORMAT}
REQUESTS = "start, configure, flush, keep_alive, stop"


def decode(message: object) -> Request:
    text = message if isinstance(message, str) else json.dumps(message)
    return decode_request(text, max_channels=8)


@dataclass
class Refused:
    code: str
    message: str


def refuse(message: object) -> Refused:
    with pytest.raises(BadRequest) as caught:
        decode(message)
    text = str(caught.value)
    assert "\n" not in text
    return Refused(caught.value.code, text)


def start(**fields: object) -> dict[str, object]:
    return {**START, **fields}


# --- What a client may send ---


@pytest.mark.parametrize(
    ("message", "request_"),
    [
        (START, Start(format=AudioFormat(sample_rate=16_000))),
        ({"request": "flush"}, Flush()),
        ({"request": "keep_alive"}, KeepAlive()),
        ({"request": "stop"}, Stop(disconnect=False)),
        ({"request": "stop", "disconnect": True}, Stop(disconnect=True)),
        ({"request": "stop", "disconnect": False}, Stop(disconnect=False)),
    ],
)
def test_requests(message: object, request_: Request) -> None:
    assert decode(message) == request_


def test_every_field_of_start() -> None:
    message = """
    {"request": "start",
     "trace_id": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
     "format": {"channels": 2, "sample_rate": 44100, "bit_depth": 32, "is_float": true,
                "encoding": "pcm"},
     "interim_results": true,
     "vad": {"threshold": 0.6, "min_silence_ms": 401, "min_speech_ms": 101,
             "prefix_padding_ms": 201, "max_segment_ms": 15001},
     "model": "m",
     "token": "t",
     "words": true,
     "keyterms": ["Jean Valjean", "Kubernetes"],
     "eager": true}
    """
    assert decode(message) == Start(
        trace_id="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        format=AudioFormat(sample_rate=44_100, channels=2, bit_depth=32, is_float=True),
        interim_results=True,
        vad=VadOptions(
            threshold=0.6,
            min_silence_ms=401,
            min_speech_ms=101,
            prefix_padding_ms=201,
            max_segment_ms=15_001,
        ),
        model="m",
        token="t",
        words=True,
        keyterms=("Jean Valjean", "Kubernetes"),
        eager=True,
    )


def test_the_defaults_of_start() -> None:
    request = decode(START)
    assert isinstance(request, Start)
    assert request.format == AudioFormat(sample_rate=16_000, channels=1, bit_depth=16)
    assert (request.trace_id, request.model, request.token) == (None, None, None)
    assert not request.interim_results
    assert not request.words
    assert request.keyterms == ()
    assert request.vad == VadOptions()


@pytest.mark.parametrize("field", ["trace_id", "model", "token"])
def test_null_is_absent(field: str) -> None:
    assert decode(start(**{field: None})) == decode(START)


VAD = {
    "threshold": 0.25,
    "min_silence_ms": 51,
    "min_speech_ms": 1,
    "prefix_padding_ms": 2,
    "max_segment_ms": 1_001,
}


@pytest.mark.parametrize("field", VAD)
def test_a_vad_option_lies_over_the_configured_one_and_nothing_else_changes(field: str) -> None:
    request = decode(start(vad={field: VAD[field]}))
    assert isinstance(request, Start)
    configured = VadConfig()
    assert request.vad.over(configured) == msgspec.structs.replace(
        configured, **{field: VAD[field]}
    )
    nothing = decode(start(vad={field: None}))
    assert isinstance(nothing, Start)
    assert nothing.vad.over(configured) == configured


RANGES = [
    ("threshold", [0.001, 0.999], [0, 1, -0.5, 1.5], "a number above 0 and below 1"),
    ("min_silence_ms", [50, 10_000], [49, 10_001, -1], "a whole number from 50 to 10000"),
    ("min_speech_ms", [0, 2_000], [-1, 2_001], "a whole number from 0 to 2000"),
    ("prefix_padding_ms", [0, 2_000], [-1, 2_001], "a whole number from 0 to 2000"),
    ("max_segment_ms", [1_000, 60_000], [999, 60_001], "a whole number from 1000 to 60000"),
]


@pytest.mark.parametrize(("field", "good", "bad", "allowed"), RANGES)
def test_the_range_of_each_vad_option(
    field: str, good: list[float], bad: list[float], allowed: str
) -> None:
    for value in good:
        decode(start(vad={field: value}))
    for wrong in [*bad, "0.5", True, [1], {"a": 1}, 10**30]:
        refused = refuse(start(vad={field: wrong}))
        assert refused.code == "bad_message"
        assert refused.message.startswith(f"'vad.{field}' is {json.dumps(wrong)}; allowed: ")
        assert allowed in refused.message


# --- What it may not ---


A_KEY_TERM = (
    "text of 1 to 100 characters, with a letter or a digit, and without line breaks, tabs and "
    "other invisible characters"
)


@pytest.mark.parametrize(
    "term",
    [
        *("a", "3", "C++", "d’Albe", "Jean Valjean", "Æthelred", "東京", "ª", "µ", "½", "a" * 100),
        *("a\u3000b", "the 😀 film", "Ελλάδα", "हिन्दी", "عربي", "می\u200cخواهم", "क्\u200dष"),
    ],
)
def test_key_terms_in_every_script(term: str) -> None:
    request = decode(start(keyterms=[term] * 100))
    assert isinstance(request, Start)
    assert set(request.keyterms) == {term}


@pytest.mark.parametrize(
    "term",
    [
        *("", " ", "\u3000", "\u2003", "▁", "_", "—", "♪", "😀", "“”", "\u200b", "a" * 101),
        *("a\u2028b", "a\u2029b", "a\u200bb", "\u202ea", "a\tb", "a\x00", "a\x7f", "a\x85"),
        "\u200d",
    ],
    ids=ascii,
)
def test_what_is_no_key_term(term: str) -> None:
    message = refuse(start(keyterms=["a", term])).message
    assert message.startswith("'keyterms[1]' is \"")
    assert message.endswith(f"; allowed: {A_KEY_TERM}")


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (start(interim_results=1), "'interim_results' is 1; allowed: true or false"),
        (start(interim_results=None), "'interim_results' is null; allowed: true or false"),
        (start(words="yes"), "'words' is \"yes\"; allowed: true or false"),
        (start(words=None), "'words' is null; allowed: true or false"),
        (start(words=1), "'words' is 1; allowed: true or false"),
        (start(keyterms="a"), "'keyterms' is \"a\"; allowed: a list of at most 100 items"),
        (start(keyterms=[3]), f"'keyterms[0]' is 3; allowed: {A_KEY_TERM}"),
        (start(keyterms=["a", ""]), f"'keyterms[1]' is \"\"; allowed: {A_KEY_TERM}"),
        (start(keyterms=["  "]), f"'keyterms[0]' is \"  \"; allowed: {A_KEY_TERM}"),
        (start(keyterms=["a\nb"]), f"'keyterms[0]' is \"a\\nb\"; allowed: {A_KEY_TERM}"),
        (start(keyterms=["a\x85"]), f"'keyterms[0]' is \"a\\u0085\"; allowed: {A_KEY_TERM}"),
        (start(keyterms=["…?"]), f"'keyterms[0]' is \"\\u2026?\"; allowed: {A_KEY_TERM}"),
        (start(trace_id=5), "'trace_id' is 5; allowed: text"),
        (start(model=["m"]), "'model' is [\"m\"]; allowed: text"),
        (start(token={}), "'token' is {}; allowed: text"),
        (
            start(vad=[]),
            "'vad' is []; allowed: an object with max_segment_ms, min_silence_ms, min_speech_ms, "
            "prefix_padding_ms, threshold",
        ),
        ({"request": "stop", "disconnect": 1}, "'disconnect' is 1; allowed: true or false"),
        ({"request": "start"}, "'format' is missing; it is required"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(message: object, says: str) -> None:
    assert refuse(message) == Refused("bad_message", says)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, AudioFormat(0, 0, encoding="auto")),
        ({"channels": 1}, AudioFormat(0, 1, encoding="auto")),
        (FORMAT, AudioFormat(16_000, 0, encoding="auto")),
    ],
)
def test_a_container_says_itself_what_it_is(
    given: dict[str, object], expected: AudioFormat
) -> None:
    request = decode_request(
        json.dumps(start(format={**given, "encoding": "auto"})), max_channels=8
    )
    assert isinstance(request, Start)
    assert request.format == expected
    assert request.format.is_container


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"sample_rate": 1}, "'format.sample_rate' is 1; allowed: 8000 to 192000"),
        ({"channels": 9}, "'format.channels' is 9; allowed: 1 to 8"),
        ({"channels": -1}, "'format.channels' is -1; allowed: 1 to 8"),
    ],
)
def test_what_no_container_has(given: dict[str, object], says: str) -> None:
    assert refuse(start(format={**given, "encoding": "auto"})) == Refused("bad_format", says)


@pytest.mark.parametrize("value", ["no", True, None, 16_000.5, [1], {}], ids=repr)
@pytest.mark.parametrize("field", ["sample_rate", "channels", "bit_depth", "is_float", "encoding"])
def test_a_wrong_type_in_the_format(field: str, value: object) -> None:
    if field == "is_float" and value is True:
        value = 1
    refused = refuse(start(format={**FORMAT, field: value}))
    assert refused.code == "bad_format"
    assert refused.message.startswith(f"'format.{field}' is {json.dumps(value)}; allowed: ")


@pytest.mark.parametrize(
    ("fmt", "says"),
    [
        ({"sample_rate": 7_999}, "'format.sample_rate' is 7999; allowed: 8000 to 192000"),
        ({"sample_rate": 192_001}, "'format.sample_rate' is 192001; allowed: 8000 to 192000"),
        ({"sample_rate": 0}, "'format.sample_rate' is 0; allowed: 8000 to 192000"),
        ({**FORMAT, "channels": 0}, "'format.channels' is 0; allowed: 1 to 8"),
        ({**FORMAT, "channels": 9}, "'format.channels' is 9; allowed: 1 to 8"),
        (
            {**FORMAT, "bit_depth": 12},
            "'format.bit_depth' is 12; allowed for integer PCM: 8, 16, 24, 32",
        ),
        (
            {**FORMAT, "is_float": True},
            "'format.bit_depth' is 16; allowed for float PCM: 32, 64",
        ),
        (
            {**FORMAT, "encoding": "opus"},
            "'format.encoding' is \"opus\"; allowed: one of alaw, auto, mulaw, pcm",
        ),
        ({**FORMAT, "encoding": "alaw"}, "'format.bit_depth' is 16; allowed with alaw: 8"),
        ({}, "'format.sample_rate' is missing; it is required"),
        (
            {**FORMAT, "rate": 1},
            "unknown field 'format.rate'; allowed: "
            "bit_depth, channels, encoding, is_float, sample_rate",
        ),
        (
            None,
            "'format' is null; allowed: an object with "
            "bit_depth, channels, encoding, is_float, sample_rate",
        ),
        (
            [1],
            "'format' is [1]; allowed: an object with "
            "bit_depth, channels, encoding, is_float, sample_rate",
        ),
    ],
)
def test_an_impossible_format(fmt: object, says: str) -> None:
    assert refuse(start(format=fmt)) == Refused("bad_format", says)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (
            start(vda={}),
            "unknown field 'vda'; allowed: request, eager, format, interim_results, keyterms, "
            "model, token, trace_id, vad, words; did you mean 'vad'?",
        ),
        (
            start(vad={"treshold": 0.5}),
            "unknown field 'vad.treshold'; allowed: max_segment_ms, min_silence_ms, "
            "min_speech_ms, prefix_padding_ms, threshold; did you mean 'threshold'?",
        ),
        (
            {"request": "stop", "Disconnect": True},
            "unknown field 'Disconnect'; allowed: request, disconnect; did you mean 'disconnect'?",
        ),
        ({"request": "flush", "now": 1}, "unknown field 'now'; allowed: request"),
        ({"request": "keep_alive", "x": 1}, "unknown field 'x'; allowed: request"),
    ],
)
def test_an_unknown_field_is_named(message: object, says: str) -> None:
    assert refuse(message) == Refused("bad_message", says)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", ""),
        ("a\nb", "a\\nb"),
        ("a - at `$.b", "a - at `$.b"),
        ("`", "`"),
        ("\x1b[31m", "\\u001b[31m"),
        ('"', '\\"'),
        ("é", "\\u00e9"),
    ],
)
def test_whatever_it_is_called(name: str, shown: str) -> None:
    refused = refuse(start(**{name: 1}))
    assert refused.message.startswith(f"unknown field '{shown}'; allowed: request,")
    inner = refuse(start(vad={name: 1}))
    assert inner.message.startswith("unknown field 'vad.")


@pytest.mark.parametrize(
    "name", ["a` - at `$.b", "` - at `$", "` - at `$.format.x", "` - at `$[0]"]
)
def test_not_even_one_that_looks_like_the_parsers_own_words(name: str) -> None:
    assert refuse(start(**{name: 1})).message.startswith("unknown field '")


@given(st.text(st.sampled_from("` -at$.[]bx\n'vadformt\\\"é")), st.sampled_from([[], ["vad"]]))
def test_no_name_is_too_strange(name: str, path: list[str]) -> None:
    message: dict[str, object] = {name: 1}
    if not path and name in Start.__struct_fields__:
        return
    for part in path:
        message = {part: message}
    assert "unknown field '" in refuse(start(**message)).message


@pytest.mark.parametrize("kind", [None, 1, True, "", "Start", "begin", [], {"a": 1}], ids=repr)
def test_an_unknown_request(kind: object) -> None:
    says = f"'request' is {json.dumps(kind)}; allowed: one of {REQUESTS}"
    assert refuse({"request": kind}) == Refused("bad_message", says)


def test_a_format_where_there_is_none_is_no_bad_format() -> None:
    """That would end the stream."""
    for request in ("configure", "flush"):
        refused = refuse({"request": request, "format": FORMAT})
        assert refused.code == "bad_message"
        assert refused.message.startswith("unknown field 'format'; allowed: ")


def test_no_request() -> None:
    says = f"'request' is missing; allowed: one of {REQUESTS}"
    assert refuse({"format": FORMAT}) == Refused("bad_message", says)


@pytest.mark.parametrize("text", ["null", "1", '"start"', "[]", '["start"]', "true", "1.5"])
def test_json_that_is_no_object(text: str) -> None:
    assert refuse(text) == Refused("bad_message", f"expected a JSON object, got {text}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "start",
        '{"request": "flush"} {}',
        "{'request': 'flush'}",
        '{"request": "flush",}',
        '{"request": "flush" "x": 1}',
        "\x00",
        '{"request": "\ud800"}',
        '{"request": "\\ud800"}',
        "\ufeff" + json.dumps(START),
    ],
    ids=repr,
)
def test_not_json(text: str) -> None:
    refused = refuse(text)
    assert refused.code == "bad_message"
    assert refused.message.startswith("the message is not JSON: ")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "0x10"])
@pytest.mark.parametrize("where", ['"vad": {"threshold": %s}', '"model": %s', '"x": %s'])
def test_numbers_that_json_does_not_have(where: str, number: str) -> None:
    text = '{"request": "start", "format": {"sample_rate": 16000}, ' + where % number + "}"
    refused = refuse(text)
    assert refused.code == "bad_message"
    assert refused.message.startswith("the message is not JSON: ")


@pytest.mark.parametrize("digits", [20, 400, 4_299, 4_300, 4_301, 5_000, 100_000])
@pytest.mark.parametrize(
    "where",
    ['"vad": {"min_speech_ms": %s}', '"model": %s', '"x": %s', '"format": {"sample_rate": %s}'],
)
def test_huge_numbers(where: str, digits: int) -> None:
    text = '{"request": "start", "format": {"sample_rate": 16000}, ' + where % ("9" * digits) + "}"
    refused = refuse(text)
    assert len(refused.message) < 5_000


NESTINGS = [
    "%s",
    '{"request": %s}',
    '{"request": "start", "format": {"sample_rate": %s}}',
    '{"request": "start", "format": {"sample_rate": 16000}, "vad": %s}',
    '{"request": "start", "format": {"sample_rate": 16000}, "x": %s}',
]


@pytest.mark.parametrize("pair", [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
@pytest.mark.parametrize("around", NESTINGS)
def test_deep_nesting(around: str, pair: tuple[str, str]) -> None:
    # Where Python's own limit lies depends on the depth of the caller: try all around it.
    for depth in [*range(100, 1_100), 10**5]:
        text = around % (pair[0] * depth + "1" + pair[1] * depth)
        with pytest.raises(BadRequest) as caught:
            decode_request(text, max_channels=8)
        assert len(str(caught.value)) < 300


def test_a_list_that_is_too_long_says_how_long_it_is() -> None:
    message = refuse(start(keyterms=["a"] * 101)).message
    assert message.startswith('\'keyterms\' is ["a", "a"')
    assert message.endswith("… (101 items); allowed: a list of at most 100 items")


def test_a_long_value_is_shortened() -> None:
    refused = refuse(start(trace_id=["x" * 10_000]))
    assert refused.message == "'trace_id' is [\"" + "x" * 57 + "…; allowed: text"
    assert len(refuse(start(**{"x" * 10_000: 1})).message) < 250


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=5), v, max_size=3),
    max_leaves=8,
)
FIELDS = [*Start.__struct_fields__, "disconnect", "x"]
messages = st.one_of(
    json_values,
    st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=3).flatmap(
        lambda fields: st.sampled_from(["start", "flush", "stop", "x"]).map(
            lambda kind: {"request": kind, "format": FORMAT, **fields}
        )
    ),
)


def attempt(message: object) -> Request | BadRequest:
    try:
        return decode(message)
    except BadRequest as error:
        return error


@given(messages)
def test_anything_is_either_a_request_or_refused_in_one_line(message: object) -> None:
    outcome = attempt(message)
    if isinstance(outcome, BadRequest):
        assert "\n" not in str(outcome)
        assert outcome.code in ("bad_message", "bad_format")
    else:
        assert isinstance(outcome, Start | Flush | KeepAlive | Stop)


# --- What the server answers ---


IN_FORCE = VadInForce(
    engine="silero",
    threshold=0.5,
    min_silence_ms=400,
    min_speech_ms=100,
    prefix_padding_ms=200,
    max_segment_ms=15_000,
)


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (
            Started(
                session_id="s",
                trace_id="t",
                model="m",
                sample_rate=16_000,
                interim_results=False,
                vad=IN_FORCE,
                max_message_bytes=262_144,
                protocol=1,
            ),
            '{"type":"started","session_id":"s","trace_id":"t","model":"m","sample_rate":16000,'
            '"interim_results":false,"vad":{"engine":"silero","threshold":0.5,'
            '"min_silence_ms":400,"min_speech_ms":100,"prefix_padding_ms":200,'
            '"max_segment_ms":15000},"max_message_bytes":262144,"protocol":1}',
        ),
        (
            Started(
                session_id="s",
                trace_id="t",
                model="m",
                sample_rate=16_000,
                interim_results=False,
                vad=None,
                max_message_bytes=262_144,
                protocol=1,
                words=False,
                eager=True,
            ),
            '{"type":"started","session_id":"s","trace_id":"t","model":"m","sample_rate":16000,'
            '"interim_results":false,"vad":null,"max_message_bytes":262144,"protocol":1,'
            '"words":false,"eager":true}',
        ),
        (Active(time=0.0, channel=0), '{"type":"active","time":0.0,"channel":0}'),
        (Inactive(time=1.25, channel=1), '{"type":"inactive","time":1.25,"channel":1}'),
        (
            Interim(start_time=0.5, end_time=1.0, channel=0, output={"text": "a"}),
            '{"type":"interim","start_time":0.5,"end_time":1.0,"is_final":false,"text":"a",'
            '"channel":0}',
        ),
        (
            Interim(start_time=0.5, end_time=1.0, channel=0, output={"text": "a"}, eager=True),
            '{"type":"interim","start_time":0.5,"end_time":1.0,"is_final":false,"text":"a",'
            '"channel":0,"eager":true}',
        ),
        (Resumed(time=1.25, channel=1), '{"type":"resumed","time":1.25,"channel":1}'),
        (
            Segment(start_time=0.5, end_time=1.0, channel=0, output={"text": "a", "n": 1}),
            '{"type":"segment","start_time":0.5,"end_time":1.0,"is_final":true,"text":"a",'
            '"n":1,"channel":0}',
        ),
        (
            Segment(start_time=0.5, end_time=1.0, channel=0, output={}, flushed=True),
            '{"type":"segment","start_time":0.5,"end_time":1.0,"is_final":true,"channel":0,'
            '"flushed":true}',
        ),
        (Flushed(time=1.5, channel=1), '{"type":"flushed","time":1.5,"channel":1}'),
        (
            WarningEvent(code="lagging", message="slow"),
            '{"type":"warning","code":"lagging","message":"slow"}',
        ),
        (
            ErrorEvent(code="bad_message", message="no", fatal=False),
            '{"type":"error","code":"bad_message","message":"no","fatal":false}',
        ),
        (
            ErrorEvent(
                code="worker_lost",
                message="no",
                fatal=False,
                channel=0,
                start_time=0.0,
                end_time=1.0,
            ),
            '{"type":"error","code":"worker_lost","message":"no","fatal":false,"channel":0,'
            '"start_time":0.0,"end_time":1.0}',
        ),
        (
            Stopped(
                audio_seconds=2.0,
                segments=1,
                session_id="s",
                seconds=[
                    ChannelSeconds(
                        channel=0,
                        received=2.0,
                        speech=1.0,
                        transcribed=1.5,
                        failed=0.0,
                        dropped=0.125,
                        loud_unheard=0.25,
                    )
                ],
            ),
            '{"type":"stopped","audio_seconds":2.0,"segments":1,"session_id":"s","seconds":[{'
            '"channel":0,"received":2.0,"speech":1.0,"transcribed":1.5,"failed":0.0,'
            '"dropped":0.125,"loud_unheard":0.25}]}',
        ),
        (
            GoingAway(message="bye", deadline_seconds=10.0),
            '{"type":"going_away","message":"bye","deadline_seconds":10.0}',
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, msgspec.Struct) else "",
)
def test_events(event: Event, text: str) -> None:
    def fail(constant: str) -> None:
        pytest.fail(f"{constant} is not JSON")

    encoded = encode_event(event)
    assert json.loads(encoded, parse_constant=fail) == json.loads(text)
    assert "\n" not in encoded


def test_a_stream_without_vad_says_null() -> None:
    event = Started(
        session_id="s",
        trace_id="t",
        model="m",
        sample_rate=1,
        interim_results=False,
        vad=None,
        max_message_bytes=262_144,
        protocol=1,
    )
    assert json.loads(encode_event(event))["vad"] is None


EVIL = {
    "type": "error",
    "start_time": -1,
    "end_time": -1,
    "is_final": "maybe",
    "channel": 99,
    "flushed": True,
    "eager": True,
}


@pytest.mark.parametrize("flushed", [False, True])
def test_a_model_cannot_overwrite_a_segments_envelope(flushed: bool) -> None:
    output = {**EVIL, "text": "hello"}
    plain = Segment(start_time=0.5, end_time=1.0, channel=0, output={}, flushed=flushed)
    envelope = json.loads(encode_event(plain))
    given_ = msgspec.structs.replace(plain, output=output)
    assert json.loads(encode_event(given_)) == {**envelope, "text": "hello"}
    assert ("flushed" in envelope) == flushed


@pytest.mark.parametrize("eager", [False, True])
def test_nor_an_interims(eager: bool) -> None:
    event = Interim(start_time=0.5, end_time=1.0, channel=0, output=EVIL, eager=eager)
    assert json.loads(encode_event(event)) == {
        "type": "interim",
        "start_time": 0.5,
        "end_time": 1.0,
        "is_final": False,
        "channel": 0,
        **({"eager": True} if eager else {}),
    }


def test_encoding_leaves_the_models_output_alone() -> None:
    output: Mapping[str, object] = dict(EVIL)
    encode_event(Segment(start_time=0.5, end_time=1.0, channel=0, output=output))
    assert output == EVIL


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_json_has_no_number_for_is_null(value: float) -> None:
    event = Segment(start_time=0.0, end_time=1.0, channel=0, output={"a": value, "b": [value, 1.0]})
    message = json.loads(encode_event(event))
    assert (message["a"], message["b"]) == (None, [None, 1.0])


@given(st.integers(0, 14_400 * 192_000), st.sampled_from([8_000, 16_000, 44_100]))
def test_times_are_exact_to_the_sample(at: int, rate: int) -> None:
    message = json.loads(encode_event(Active(time=at / rate, channel=0)))
    assert round(message["time"] * rate) == at
    assert message["time"] == at / rate
