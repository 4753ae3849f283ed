"""The fields of OpenAI's forms, as programs write them."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.config.segmentation import VadConfig
from streamer.http.openai_extras import LACKING, NO_EFFECT, REFUSED
from streamer.http.openai_fields import ChunkingStrategy, Form
from streamer.http.openai_form import ABSENT, is_field, read_fields, vad_options
from streamer.http.refusals import Refused

Fields = list[tuple[str, str]]


def refused(*fields: tuple[str, str]) -> tuple[str | None, str]:
    with pytest.raises(Refused) as caught:
        read_fields(fields)
    assert (caught.value.status, caught.value.code) == (400, "bad_request")
    return caught.value.field, caught.value.message


def warnings(*fields: tuple[str, str]) -> list[str]:
    return [ignored.message for ignored in read_fields(fields).ignored]


@pytest.mark.parametrize("name", [*Form.__struct_fields__, "unknown", "chunking_strategy[type]"])
@pytest.mark.parametrize("value", ["", "  ", "null", "undefined", "None"])
def test_an_empty_field_is_not_given(name: str, value: str) -> None:
    assert value.strip().lower() in ABSENT
    assert read_fields([(name, value), (f"{name}[]", value)]) == (Form(), [])


def test_what_a_form_can_say() -> None:
    read = read_fields(
        [
            ("model", "whisper-1"),
            ("response_format", "verbose_json"),
            ("stream", "true"),
            ("language", "en"),
            ("prompt", "a, b"),
            ("temperature", "0.5"),
            ("Task", "translate"),
            ("vad", "false"),
            ("include[]", "logprobs"),
        ]
    )
    assert read == (
        Form(
            model="whisper-1",
            response_format="verbose_json",
            stream=True,
            language="en",
            prompt="a, b",
            temperature=0.5,
            task="translate",
            vad_filter=False,
            include=["logprobs"],
        ),
        [],
    )


@pytest.mark.parametrize("name", ["stream", "vad_filter", "vad", "translate"])
@pytest.mark.parametrize(
    ("yes", "no"),
    [
        *(
            ("true", "false"),
            ("True", "False"),
            ("TRUE", "FALSE"),
            (" true ", " false "),
            ("1", "0"),
        ),
        *(("on", "off"), ("On", "OFF"), ("yes", "no"), ("Yes", "NO"), ("y", "n"), ("t", "f")),
    ],
)
def test_yes_and_no(name: str, yes: str, no: str) -> None:
    field = "vad_filter" if name == "vad" else name
    assert getattr(read_fields([(name, yes)]).form, field) is True
    assert getattr(read_fields([(name, no)]).form, field) is False


@pytest.mark.parametrize(
    "fields",
    [
        [("temperature", "0.2,0.4")],
        [("temperature", " 0.2, 0.4 ")],
        [("temperature", "[0.2, 0.4]")],
        [("temperature[]", "0.2"), ("temperature[]", "0.4")],
        [("temperature", "0.2"), ("temperature", "0.4")],
    ],
    ids=str,
)
def test_several_temperatures(fields: Fields) -> None:
    """Whisper's decoder tries one after the other."""
    assert read_fields(fields) == (Form(temperature=0.2), [])
    assert read_fields([("temperature", "[]")]).form == Form()


LISTS: list[Fields] = [
    [("timestamp_granularities[]", "word"), ("timestamp_granularities[]", "segment")],
    [("timestamp_granularities", "word"), ("timestamp_granularities", "segment")],
    [("timestamp_granularities", "word"), ("timestamp_granularities[]", "segment")],
    [("timestamp_granularities[0]", "word"), ("timestamp_granularities[1]", "segment")],
    [("timestamp_granularities", "word,segment")],
    [("timestamp_granularities", "word, segment")],
    [("timestamp_granularities", '["word", "segment"]')],
    [("timestamp_granularities[]", '["word","segment"]')],
]


@pytest.mark.parametrize("fields", LISTS, ids=str)
def test_lists(fields: Fields) -> None:
    assert read_fields(fields).form.timestamp_granularities == ["word", "segment"]


OBJECTS: list[Fields] = [
    [
        ("chunking_strategy[type]", "server_vad"),
        ("chunking_strategy[prefix_padding_ms]", "100"),
        ("chunking_strategy[silence_duration_ms]", "300"),
        ("chunking_strategy[threshold]", "0.6"),
    ],
    [
        ("chunking_strategy.threshold", "0.6"),
        ("chunking_strategy.type", "server_vad"),
        ("chunking_strategy.prefix_padding_ms", "100"),
        ("chunking_strategy.silence_duration_ms", "300"),
    ],
    [
        (
            "chunking_strategy",
            '{"type": "server_vad", "prefix_padding_ms": 100, "silence_duration_ms": 300, '
            '"threshold": 0.6}',
        )
    ],
]


@pytest.mark.parametrize("fields", OBJECTS, ids=lambda fields: fields[0][0])
def test_a_chunking_strategy(fields: Fields) -> None:
    form = read_fields(fields).form
    options = vad_options(form, VadConfig())
    assert (options.prefix_padding_ms, options.min_silence_ms, options.threshold) == (100, 300, 0.6)
    assert options.max_segment_ms is None


@pytest.mark.parametrize("value", ["auto", '"auto"', '{"type": "auto"}', "server_vad"])
def test_a_chunking_strategy_without_settings(value: str) -> None:
    form = read_fields([("chunking_strategy", value)]).form
    assert form.chunking_strategy in (
        ChunkingStrategy(type="auto"),
        ChunkingStrategy(type="server_vad"),
    )
    assert vad_options(form, VadConfig()).over(VadConfig()) == VadConfig()


BRACKETS = "chunking_strategy[threshold]"


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ([("temperature", "2")], "temperature", 'is "2"; allowed: a number from 0 to 1'),
        ([("temperature", "0,2")], "temperature", 'is "2"; allowed: a number from 0 to 1'),
        ([("temperature", "[0, 2]")], "temperature", "is 2; allowed: a number from 0 to 1"),
        ([("temperature[]", "0"), ("temperature[]", "x")], "temperature[]", 'is "x"; allowed: a'),
        ([("vad_filter", "2")], "vad_filter", 'is "2"; allowed: true or false'),
        ([("stream", "maybe")], "stream", 'is "maybe"; allowed: true or false'),
        ([("response_format", "diarized_json")], "response_format", "allowed: one of json, srt,"),
        ([("model", "a"), ("model", "a")], "model", "'model' is given more than once"),
        (
            [("timestamp_granularities[]", "syllable")],
            "timestamp_granularities[]",
            "'timestamp_granularities[0]' is \"syllable\"; allowed: one of segment, word",
        ),
        (
            [("timestamp_granularities", "segment,syllable")],
            "timestamp_granularities",
            "'timestamp_granularities[1]' is \"syllable\"; allowed",
        ),
        (
            [("chunking_strategy[type]", "server_vad"), (BRACKETS, "2")],
            BRACKETS,
            f"'{BRACKETS}' is \"2\"; allowed: a number above 0 and below 1",
        ),
        ([(BRACKETS, "0.5")], "chunking_strategy.type", "is missing"),
        ([(BRACKETS, "0.5")] * 2, BRACKETS, "given more than once"),
        ([("chunking_strategy", "auto"), (BRACKETS, "0.5")] * 2, "chunking_strategy", "than once"),
        (
            [("chunking_strategy", '{"type": "server_vad", "threshold": 2}')],
            "chunking_strategy.threshold",
            "'chunking_strategy.threshold' is 2; allowed: a number above 0 and below 1",
        ),
        ([("chunking_strategy", "semantic_vad")], "chunking_strategy.type", "one of auto, server_"),
        ([("chunking_strategy", "[1]")], "chunking_strategy", "allowed: an object with prefix_"),
        ([("task", "summarize")], "task", "allowed: one of transcribe, translate"),
    ],
)
def test_what_cannot_be_said(fields: Fields, field: str, says: str) -> None:
    named, message = refused(*fields)
    assert named == field
    assert says in message


def test_a_beginning_that_is_too_long_is_named_as_the_client_can_change_it() -> None:
    form = read_fields([("chunking_strategy[type]", "server_vad")]).form
    assert form.chunking_strategy is not None
    form = Form(chunking_strategy=ChunkingStrategy(type="server_vad", prefix_padding_ms=2_000))
    with pytest.raises(Refused) as caught:
        vad_options(form, VadConfig(max_segment_ms=3_000, min_speech_ms=100))
    assert caught.value.message == (
        "'chunking_strategy[prefix_padding_ms]' is 2000; allowed on this server: up to 1900"
    )


def test_the_settings_of_other_servers_are_ignored_without_a_word() -> None:
    assert len(NO_EFFECT) > 60
    fields = [(name, "5") for name in sorted(NO_EFFECT)]
    assert read_fields(fields) == (Form(), [])
    nested = [("suppress_tokens[]", "-1"), ("vad_parameters[threshold]", "0.3"), ("Beam_Size", "1")]
    assert read_fields(nested) == (Form(), [])


@pytest.mark.parametrize("name", sorted(LACKING))
def test_what_is_lacking_is_said(name: str) -> None:
    assert warnings((name, "false"), (f"{name}[]", "0")) == []
    assert warnings((name, "true")) == [f"'{name}' was ignored: {LACKING[name]}"]


VERBOSE = ("response_format", "verbose_json")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("timestamp_granularities[]", "word"),
        ("timestamp_granularities", "segment,word"),
        ("word_timestamps", "true"),
        ("align", "1"),
    ],
)
def test_times_of_words_have_a_place_in_verbose_json_only(field: str, value: str) -> None:
    form, ignored = read_fields([(field, value), VERBOSE])
    assert form.asks_for_words
    assert not ignored
    assert not form.without_place
    for others in ([], [VERBOSE, ("stream", "true")], [("response_format", "text")]):
        form = read_fields([(field, value), *others]).form
        assert not form.asks_for_words
        (sentence,) = form.without_place
        assert sentence.startswith(
            "'timestamp_granularities[]=word' was ignored: only verbose_json"
        )
    subtitles = read_fields([(field, value), ("response_format", "srt")]).form
    assert not subtitles.without_place


def test_log_probabilities_have_a_place_in_json_and_in_streams() -> None:
    wanted = ("include[]", "logprobs")
    for others in ([], [VERBOSE, ("stream", "1")]):
        form = read_fields([wanted, *others]).form
        assert form.asks_for_logprobs
        assert not form.without_place
    form = read_fields([wanted, VERBOSE]).form
    assert not form.asks_for_logprobs
    (sentence,) = form.without_place
    assert sentence.startswith("'include[]=logprobs' was ignored: only json and the events")
    form = read_fields([("include[]", "other")]).form
    assert not form.asks_for_logprobs
    assert not form.without_place


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_would_give_a_wrong_answer_is_refused(name: str) -> None:
    assert read_fields([(name, "0"), (name, "false"), (name, "")]) == (Form(), [])
    field, message = refused((name, "https://a.example/a.wav"))
    assert field == name
    assert message.startswith(f"'{name}' is \"https://a.example/a.wav\"; allowed: {REFUSED[name]}")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("langauge", "unknown field 'langauge' was ignored; did you mean 'language'?"),
        ("responseFormat", "unknown field 'responseFormat' was ignored; did you mean 'response_f"),
        ("timestamps_granularities[]", "was ignored; did you mean 'timestamp_granularities'?"),
        ("brand_new", "unknown field 'brand_new' was ignored"),
        ("model.name", "unknown field 'model.name' was ignored"),
        ("a\nb", "unknown field 'a\\nb' was ignored"),
    ],
)
def test_an_unknown_field_is_said(name: str, says: str) -> None:
    (message,) = warnings((name, "x"))
    assert says in message


def test_an_unknown_member_is_said() -> None:
    (message,) = warnings(
        ("chunking_strategy[type]", "server_vad"), ("chunking_strategy[treshold]", "0.1")
    )
    assert message.startswith("unknown field 'chunking_strategy[treshold]' was ignored")


NAMES = st.sampled_from([*Form.__struct_fields__, *REFUSED, *LACKING, "x", "file"])
SUFFIXES = st.sampled_from(["", "[]", "[0]", "[type]", ".type", "[", "]", "[[x]"])


@given(
    st.lists(st.tuples(st.builds(str.__add__, NAMES, SUFFIXES) | st.text(), st.text()), max_size=6)
)
def test_any_fields_are_read_or_refused(fields: list[tuple[str, Any]]) -> None:
    for name, _ in fields:
        is_field(name)
    with contextlib.suppress(Refused):
        read_fields(fields)


@pytest.mark.parametrize(
    ("values", "prompt"),
    [
        (["a, b", '["c", "d"]', "e"], "a, b\nc\nd\ne"),
        (["[null]"], None),
        (['["a", null, "b"]'], "a\nb"),
        (["[1e999]"], "[1e999]"),
        (["[1, 2]"], "[1, 2]"),
        (['["a", ["b"]]'], '["a", ["b"]]'),
        (["[sic] a"], "[sic] a"),
    ],
)
def test_the_texts_of_a_prompt(values: list[str], prompt: str | None) -> None:
    assert read_fields([("prompt", value) for value in values]).form.prompt == prompt


@pytest.mark.parametrize(
    ("name", "value", "subject"),
    [
        ("keyterms", '["a", "\\ud800x"]', "'keyterms[1]' is \"\\ud800x\""),
        ("keyterms[]", '["\\ud800x"]', "'keyterms[0]' is \"\\ud800x\""),
        ("languages", '["\\ud800"]', "'languages[0]' is \"\\ud800\""),
        ("include", '["\\ud800"]', "'include[0]' is \"\\ud800\""),
        ("hotwords", '["\\ud800"]', "'hotwords' is \"\\ud800\""),
        ("temperature", '["\\ud800"]', "'temperature' is \"\\ud800\""),
        ("chunking_strategy", '"\\ud800"', "'chunking_strategy.type' is \"\\ud800\""),
        ("chunking_strategy", '{"\\ud800": 1}', "'chunking_strategy' is \"\\ud800\""),
    ],
)
def test_text_that_no_message_can_hold(name: str, value: str, subject: str) -> None:
    _, message = refused((name, value))
    assert message == f"{subject}; allowed: text without lone surrogates"


def test_the_key_term_at_fault_is_named() -> None:
    assert refused(("keyterms[]", "a"), ("keyterms[]", "—")) == (
        "keyterms[]",
        "'keyterms[1]' is \"\\u2014\"; allowed: text of 1 to 100 characters, with a letter or a "
        "digit, and without line breaks, tabs and other invisible characters",
    )
