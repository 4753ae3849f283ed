"""Updates change what they give; null is a value; the beta's words mean the same."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.audio.format import AudioFormat
from streamer.config.segmentation import VadConfig
from streamer.dialects.deepgram.flux import GivenThresholds
from streamer.dialects.openai_realtime.beta import in_beta_words
from streamer.dialects.openai_realtime.messages import Problem, Refused
from streamer.dialects.openai_realtime.settings import (
    LOGPROBS,
    Settings,
    TurnDetection,
    check_language,
    server_vad,
    update,
)
from streamer.dialects.openai_realtime.start import start_of
from streamer.http.openai_fields import ChunkingStrategy, Form
from streamer.protocol.requests import Start, VadOptions

VAD = VadConfig()
NEW = Settings(turn_detection=server_vad(VAD))
MODELS = ["moonshine-tiny-en", "other"]


def after(*sessions: dict[str, Any]) -> Settings:
    settings = NEW
    for session in sessions:
        settings = update(settings, session, VAD).settings
    return settings


def audio(**given: Any) -> dict[str, Any]:
    return {"type": "transcription", "audio": {"input": given}}


def start(*sessions: dict[str, Any]) -> Start:
    return start_of(after(*sessions), MODELS, VAD)


def problem(session: dict[str, Any]) -> Problem:
    with pytest.raises(Refused) as refused:
        update(NEW, session, VAD, "mine")
    assert refused.value.problem.event_id == "mine"
    return refused.value.problem


def test_the_defaults_are_those_of_the_server() -> None:
    assert start().vad.over(VAD) == VAD
    assert start().format == AudioFormat(24_000)
    assert start().model is None
    assert start().interim_results


def test_absent_keeps_and_null_is_a_value() -> None:
    manual = after(audio(turn_detection=None))
    assert manual.manual
    assert update(manual, audio(noise_reduction=None), VAD).settings.manual
    again = update(manual, audio(turn_detection={"silence_duration_ms": 700}), VAD).settings
    assert start_of(again, MODELS, VAD).vad.over(VAD).min_silence_ms == 700
    assert not again.manual
    kept = after(audio(turn_detection={"silence_duration_ms": 700}), audio(turn_detection={}))
    assert start_of(kept, MODELS, VAD).vad.min_silence_ms == 700


@pytest.mark.parametrize(
    ("detection", "options"),
    [
        ({"type": "semantic_vad"}, VadOptions(min_silence_ms=600)),
        ({"type": "semantic_vad", "eagerness": "high"}, VadOptions(min_silence_ms=300)),
        ({"type": "semantic_vad", "eagerness": "low"}, VadOptions(min_silence_ms=1_000)),
        (
            {"type": "server_vad", "threshold": 2, "silence_duration_ms": 25.0},
            VadOptions(threshold=0.99, min_silence_ms=300, prefix_padding_ms=450),
        ),
        (
            {"threshold": -1, "silence_duration_ms": 10**20, "prefix_padding_ms": 10**20},
            VadOptions(threshold=0.01, min_silence_ms=10_000, prefix_padding_ms=2_000),
        ),
        (
            {"threshold": None, "silence_duration_ms": None, "prefix_padding_ms": 0},
            VadOptions(prefix_padding_ms=0),
        ),
    ],
)
def test_values_out_of_range_are_moved_into_it(
    detection: dict[str, Any], options: VadOptions
) -> None:
    assert start(audio(turn_detection=detection)).vad == options
    assert options.over(VAD).problem() is None


def test_padding_leaves_room_in_short_segments() -> None:
    short = VadConfig(max_segment_ms=1_000, prefix_padding_ms=100)
    settings = update(NEW, audio(turn_detection={"prefix_padding_ms": 2_000}), short).settings
    assert start_of(settings, MODELS, short).vad.over(short).problem() is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"type": "audio/pcm", "rate": 24_000}, AudioFormat(24_000)),
        ({"type": "audio/pcm"}, AudioFormat(24_000)),
        ({"type": "audio/pcm", "rate": 16_000.0}, AudioFormat(16_000)),
        ({"type": "audio/pcmu"}, AudioFormat(8_000, bit_depth=8, encoding="mulaw")),
        ({"type": "audio/pcma", "rate": 8_000}, AudioFormat(8_000, bit_depth=8, encoding="alaw")),
        (None, AudioFormat(24_000)),
    ],
)
def test_formats(given: Any, expected: AudioFormat) -> None:
    assert start(audio(format=given)).format == expected
    assert start(audio(format={"type": "audio/pcmu"}), audio(format=given)).format == expected


def test_a_new_encoding_begins_with_its_own_rate() -> None:
    settings = after(audio(format={"rate": 16_000}), audio(format={"type": "audio/pcmu"}))
    assert msgspec.to_builtins(settings.format) == {"type": "audio/pcmu"}
    back = update(settings, audio(format={"type": "audio/pcm"}), VAD).settings
    assert start_of(back, MODELS, VAD).format == AudioFormat(24_000)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("gpt-4o-transcribe", None),
        ("gpt-realtime-whisper", None),
        ("no-such-model", None),
        (None, None),
        ("other", "other"),
    ],
)
def test_a_model_that_is_not_ours_is_the_first(name: str | None, model: str | None) -> None:
    assert start(audio(transcription={"model": name})).model == model


def test_whisper_has_no_interims() -> None:
    assert not start(audio(transcription={"model": "whisper-1"})).interim_results


def test_keywords_and_prompt_are_key_terms() -> None:
    given = {"prompt": "Jean Valjean, Kubernetes", "keywords": ["etcd", "", "x" * 200, "etcd"]}
    assert start(audio(transcription=given)).keyterms == ("etcd", "Jean Valjean", "Kubernetes")


def test_log_probabilities_need_words() -> None:
    assert start({"include": [LOGPROBS]}).words
    assert not start({"include": [LOGPROBS]}, {"include": None}).words


BETA = {
    "input_audio_format": "g711_ulaw",
    "input_audio_transcription": {"model": "other", "language": "en", "prompt": ""},
    "input_audio_noise_reduction": {"type": "near_field"},
    "turn_detection": {"type": "server_vad", "threshold": 0.4},
    "include": [LOGPROBS],
    "modalities": ["text"],
}


def test_the_words_of_the_beta_mean_the_same() -> None:
    same = {
        "audio": {
            "input": {
                "format": {"type": "audio/pcmu"},
                "transcription": BETA["input_audio_transcription"],
                "noise_reduction": BETA["input_audio_noise_reduction"],
                "turn_detection": BETA["turn_detection"],
            }
        },
        "include": [LOGPROBS],
    }
    assert after(BETA) == after(same)
    shown = in_beta_words(msgspec.to_builtins(after(BETA)))
    assert after(shown) == update(after(BETA), {"include": None}, VAD).settings


@pytest.mark.parametrize(
    ("session", "param", "part"),
    [
        ({"type": "realtime"}, "session.type", '"realtime"; allowed: transcription'),
        ({"type": 7}, "session.type", "is 7"),
        ({"audio": 7}, "session.audio", "is 7"),
        (audio(format={"type": "audio/opus"}), "session.audio.input.format.type", "audio/opus"),
        (audio(format={"rate": 1}), "session.audio.input.format.rate", "8000 to 192000"),
        (
            audio(turn_detection={"threshold": "x"}),
            "session.audio.input.turn_detection.threshold",
            "a number",
        ),
        (audio(turn_detection="server_vad"), "session.audio.input.turn_detection", "an object"),
        ({"input_audio_format": "opus"}, "session.input_audio_format", "pcm16, g711_ulaw"),
        ({"turn_detection": {"type": "x"}}, "session.turn_detection.type", "server_vad"),
        ({"include": 7}, "session.include", "a list"),
    ],
)
def test_what_is_wrong_is_named_as_the_client_wrote_it(
    session: dict[str, Any], param: str, part: str
) -> None:
    found = problem(session)
    assert (found.code, found.param) == ("invalid_value", param)
    assert part in found.message
    assert f"'{param}'" in found.message


@pytest.mark.parametrize("value", ["nan", "NaN", "-nan", "inf", "-Infinity", "1e999", float("nan")])
@pytest.mark.parametrize(
    "field",
    [
        "turn_detection.threshold",
        "turn_detection.silence_duration_ms",
        "turn_detection.prefix_padding_ms",
        "turn_detection.idle_timeout_ms",
        "noise_reduction.strength",
        "format.rate",
    ],
)
def test_what_is_no_finite_number_is_refused(field: str, value: object) -> None:
    part, _, name = field.partition(".")
    found = problem(audio(**{part: {name: value}}))
    assert (found.code, found.param) == ("invalid_value", f"session.audio.input.{field}")
    assert "number" in found.message


@pytest.mark.parametrize(
    ("part", "value", "allowed"),
    [
        ("transcription.keywords", ["etcd"] * 101, "a list of at most 100 items"),
        ("transcription.languages", ["en"] * 101, "a list of at most 100 items"),
        ("transcription.languages[0]", ["e" * 257], "text of at most 256 characters"),
        ("transcription.language", "e" * 257, "text of at most 256 characters"),
        ("transcription.model", "m" * 257, "text of at most 256 characters"),
        ("transcription.prompt", "Xy " * 1_366, "text of at most 4096 characters"),
        ("noise_reduction.type", "n" * 257, "text of at most 256 characters"),
    ],
)
def test_what_is_too_long_is_refused(part: str, value: object, allowed: str) -> None:
    name, _, field = part.partition(".")
    found = problem(audio(**{name: {field.partition("[")[0]: value}}))
    assert (found.code, found.param) == ("invalid_value", f"session.audio.input.{part}")
    assert found.message.endswith(f"; allowed: {allowed}")


@pytest.mark.parametrize(
    ("include", "param", "allowed"),
    [
        ([LOGPROBS] * 21, "session.include", "a list of at most 20 items"),
        (["i" * 257], "session.include[0]", "text of at most 256 characters"),
        ([7], "session.include[0]", "text of at most 256 characters"),
    ],
)
def test_what_is_to_be_included_is_limited(include: list[object], param: str, allowed: str) -> None:
    found = problem({"include": include})
    assert (found.param, found.message.rpartition("; allowed: ")[2]) == (param, allowed)


def test_the_longest_that_are_allowed() -> None:
    names = [f"Name{number}" for number in range(100)]
    given = {"keywords": names, "languages": ["en"] * 100, "prompt": "Bob " * 1_024}
    assert start(audio(transcription=given), {"include": [LOGPROBS] * 20}).keyterms == (*names,)


def test_numbers_may_come_as_text() -> None:
    detection = {"threshold": "0.25", "silence_duration_ms": "700"}
    found = start(audio(turn_detection=detection)).vad
    assert (found.threshold, found.min_silence_ms) == (0.25, 700)


def test_unknown_names_are_ignored_and_listed() -> None:
    session = audio(format={"bits": 3}, echo=True) | {"voice": "alloy", "audio2": {"a": 1}}
    found = update(NEW, session, VAD)
    assert found.settings == NEW
    assert found.ignored == ["audio.input.format.bits", "audio.input.echo", "voice", "audio2"]


@pytest.mark.parametrize("given", [{"language": "de"}, {"languages": ["fr", "xx"]}])
def test_a_language_that_is_not_spoken_is_refused(given: dict[str, Any]) -> None:
    settings = after(audio(transcription=given))
    check_language(settings, ())
    with pytest.raises(Refused) as refused:
        check_language(settings, ("en",))
    assert refused.value.problem.code == "unsupported_language"


@pytest.mark.parametrize(
    "given",
    [
        {"language": "en"},
        {"language": "en-US"},
        {"language": ""},
        {"language": None},
        {"language": "auto"},
        {"languages": ["de", "en"]},
        {"languages": []},
        {},
    ],
)
def test_a_language_that_is_spoken_is_not(given: dict[str, Any]) -> None:
    check_language(after(audio(transcription=given)), ("en",))
    check_language(NEW, ("en",))


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers()
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=3,
)
VALUES = ANYTHING | st.sampled_from(
    ["audio/pcm", "audio/pcmu", "server_vad", "semantic_vad", "low", "pcm16", "g711_alaw"]
)
PARTS = (
    st.none()
    | VALUES
    | st.dictionaries(
        st.sampled_from(
            [
                "type",
                "rate",
                "threshold",
                "silence_duration_ms",
                "prefix_padding_ms",
                "eagerness",
                "model",
                "language",
                "prompt",
                "keywords",
            ]
        ),
        VALUES,
    )
)
INPUTS = st.dictionaries(
    st.sampled_from(["format", "transcription", "noise_reduction", "turn_detection", "x"]), PARTS
)
SESSIONS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.just("transcription") | VALUES,
        "audio": st.fixed_dictionaries({"input": INPUTS}) | VALUES,
        "include": st.lists(st.just(LOGPROBS)) | VALUES,
        "input_audio_format": VALUES,
        "input_audio_transcription": PARTS,
        "turn_detection": PARTS,
    },
)


@given(st.lists(SESSIONS, max_size=4))
def test_whatever_is_given_there_is_a_stream_afterwards(sessions: list[dict[str, Any]]) -> None:
    settings = NEW
    for session in sessions:
        try:
            settings = update(settings, session, VAD).settings
        except Refused:
            continue
        request = start_of(settings, MODELS, VAD)
        assert request.format.problem(1) is None
        assert request.vad.over(VAD).problem() is None
        msgspec.json.decode(msgspec.json.encode(request), type=Start)
        update(NEW, {"audio": {"input": msgspec.to_builtins(settings)}}, VAD)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", float("nan"), float("inf")])
@pytest.mark.parametrize(
    ("struct", "field"),
    [
        (VadOptions, "threshold"),
        (TurnDetection, "threshold"),
        (GivenThresholds, "eot_threshold"),
        (GivenThresholds, "eager_eot_threshold"),
        (ChunkingStrategy, "threshold"),
        (Form, "temperature"),
    ],
)
def test_no_language_takes_what_is_no_finite_number(
    struct: type[msgspec.Struct], field: str, value: object
) -> None:
    needed = {"type": "server_vad"} if struct is ChunkingStrategy else {}
    with pytest.raises(msgspec.ValidationError, match=field):
        msgspec.convert({**needed, field: value}, struct, strict=False)
