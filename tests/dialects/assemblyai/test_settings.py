"""What AssemblyAI's clients ask for: in a query, and in an update."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.audio.format import AudioFormat
from streamer.config.key_terms import MAX_KEY_TERMS, is_key_term
from streamer.config.segmentation import VadConfig
from streamer.dialects.assemblyai.settings import (
    SessionQuery,
    SettingRefused,
    TurnSettings,
    turn_settings,
)
from streamer.http.deepgram_query import ServedModel

MODELS = [ServedModel("tiny", "moonshine", ("en",)), ServedModel("other", "own")]
VAD = VadConfig()


def query(**options: str) -> SessionQuery:
    return SessionQuery({"sample_rate": "16000", **options}.items(), MODELS)


def test_a_query_as_the_package_sends_it() -> None:
    read = query(
        encoding="pcm_s16le",
        speech_model="universal-streaming-english",
        format_turns="True",
        keyterms_prompt='["Oslo", "Acme Corp", "Oslo", "?"]',
        min_turn_silence="400",
        vad_threshold="0.4",
        inactivity_timeout="60",
        session_heartbeat="False",
        token="secret",
    )
    assert (read.format, read.model.name) == (AudioFormat(16_000), "tiny")
    assert read.turns == TurnSettings(400, None, 0.4, ("Oslo", "Acme Corp"), True)
    assert (read.inactivity_s, read.ignored) == (60, ["session_heartbeat"])
    assert query(encoding="PCM_MULAW").format == AudioFormat(16_000, 1, 8, encoding="mulaw")
    assert query(speech_model="other").model.name == "other"
    for encoding in ("ogg_opus", "AAC"):
        read = query(encoding=encoding, sample_rate="")
        assert read.format.is_container
        assert read.format.channels == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"encoding": "opus"},
            "'encoding' is \"opus\"; allowed: pcm_s16le, pcm_mulaw, ogg_opus, aac",
        ),
        ({"sample_rate": ""}, "'sample_rate' is missing; allowed: a whole number from"),
        ({"sample_rate": "-1"}, "'sample_rate' is \"-1\"; allowed: a whole number from"),
        ({"sample_rate": "16000.5"}, "'sample_rate' is \"16000.5\"; allowed"),
        ({"sample_rate": "nan"}, "'sample_rate' is \"nan\"; allowed"),
        ({"language_codes": '["es", "fr"]'}, "'language_codes' is \"es, fr\"; allowed with the"),
        ({"language_code": "de"}, "'language_code' is \"de\"; allowed with the model tiny: en"),
        ({"language": "Klingon"}, "'language' is \"Klingon\"; allowed"),
    ],
)
def test_what_would_give_wrong_text_is_refused(options: dict[str, str], message: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        query(**options)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    "options",
    [
        *({"language_codes": codes} for codes in ('["en"]', '["es", "en-US"]', "en", "multi", "")),
        {"language_detection": "True"},
        {"language": "multi"},
        {"language_code": "es", "speech_model": "other"},
    ],
)
def test_languages_that_are_allowed(options: dict[str, str]) -> None:
    assert query(**options).ignored == []


@pytest.mark.parametrize(
    ("fields", "silence_ms"),
    [
        ({}, None),
        ({"min_turn_silence": 700}, 700),
        ({"min_turn_silence": 700, "min_end_of_turn_silence_when_confident": 900}, 700),
        ({"min_end_of_turn_silence_when_confident": 900.4}, 900),
        ({"min_turn_silence": 100}, VAD.least_endpointing_ms),
        ({"min_turn_silence": 1e300}, 10_000),
        ({"max_turn_silence": 1_280}, VAD.min_silence_ms),
        ({"max_turn_silence": 400}, 400),
        ({"max_turn_silence": 400, "min_turn_silence": 500}, 500),
    ],
)
def test_the_silence_that_ends_a_turn(fields: dict[str, Any], silence_ms: int | None) -> None:
    assert turn_settings(fields).vad_options(VAD).min_silence_ms == silence_ms


def test_what_is_changed_later_is_laid_over_the_rest() -> None:
    before = turn_settings({"min_turn_silence": 700, "keyterms_prompt": ["Oslo"]})
    after = turn_settings({"vad_threshold": 2, "keyterms_prompt": []}).over(before)
    assert after == TurnSettings(700, None, 2, (), None)
    assert after.vad_options(VAD).threshold == 0.99


@pytest.mark.parametrize("value", [None, 5, True, {}, {"Oslo": 1}, 1.5])
def test_what_is_of_another_type_is_not_given(value: object) -> None:
    """Key terms above all: what is no list would take away those that there are."""
    given = {"keyterms_prompt": value, "vad_threshold": [value], "min_turn_silence": {}}
    assert turn_settings(given) == TurnSettings()
    assert turn_settings({"format_turns": [value]}) == TurnSettings()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
NAMES = st.sampled_from(
    ["min_turn_silence", "max_turn_silence", "vad_threshold", "keyterms_prompt", "format_turns"]
)


@given(st.dictionaries(NAMES, VALUES))
def test_whatever_is_given_is_read_into_the_ranges(fields: dict[str, Any]) -> None:
    settings = turn_settings(fields)
    vad = settings.vad_options(VAD)
    assert vad.min_silence_ms is None or 300 <= vad.min_silence_ms <= 10_000
    assert vad.threshold is None or 0.01 <= vad.threshold <= 0.99
    assert all(map(is_key_term, settings.key_terms or ()))
    assert len(settings.key_terms or ()) <= MAX_KEY_TERMS


@given(st.lists(st.text(max_size=8), max_size=4), st.integers(0, 20_000) | st.floats(0, 1e6))
def test_a_query_and_a_message_mean_the_same(terms: list[str], number: float) -> None:
    """A query has text; lists in it are JSON, as the packages write them."""
    numbers = dict.fromkeys(["min_turn_silence", "max_turn_silence", "vad_threshold"], number)
    sent = {**numbers, "keyterms_prompt": terms, "format_turns": False}
    in_query = {name: str(value) for name, value in sent.items()}
    in_query["keyterms_prompt"] = json.dumps(terms)
    assert turn_settings(in_query) == turn_settings(sent)
