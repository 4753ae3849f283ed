"""What only Google's clients ask for, and get."""

from typing import Any

import pytest

from streamer.protocol.events import Active, Inactive, Interim
from streamer.protocol.inputs import DisconnectRequested, Input
from streamer.protocol.requests import BadRequest
from streamer.rpc.recognition.streaming import StreamingDialect
from tests.dialects.played_events import segment
from tests.rpc.recognition.messages import GOOGLE, answers, opened, sent, spoken, start_of

BEGIN, END, OVER = 2, 3, 1
"""Of `SpeechEventType`."""
SPEECH = (Active(time=1.0, channel=0), Inactive(time=2.0, channel=0))


def called(config: dict[str, Any] | None = None, **streaming: Any) -> StreamingDialect:
    dialect, _ = opened(GOOGLE, config, **streaming)
    sent(dialect, audio_content=b"\1")
    return dialect


def begun(**config: Any) -> list[Input]:
    dialect, _ = opened(GOOGLE, config)
    return sent(dialect, audio_content=b"\1")


def seconds(duration: Any) -> float:
    return float(duration.seconds + duration.nanos / 1e9)


def test_interims_and_finals() -> None:
    dialect = called(
        {"enable_automatic_punctuation": True, "language_code": "en-GB"}, interim_results=True
    )
    growing = Interim(start_time=0.75, end_time=1.5, channel=0, output={"text": "Ever"})
    turn = (SPEECH[0], growing, SPEECH[1], spoken())
    interim, first, _, second = (one.results[0] for one in answers(dialect, *turn, *turn))
    assert not interim.is_final
    assert (interim.alternatives[0].transcript, interim.alternatives[0].confidence) == ("Ever", 0)
    assert seconds(interim.result_end_time) == 1.5
    (alternative,) = first.alternatives
    assert (alternative.transcript, alternative.confidence) == ("Ever — tried.", 0.875)
    assert list(alternative.words) == []
    assert (first.channel_tag, first.language_code) == (1, "en-gb")
    # Programs put transcripts behind each other as they are.
    assert second.alternatives[0].transcript == " Ever — tried."


def test_without_punctuation_a_transcript_is_plain() -> None:
    (answer,) = answers(called(), *SPEECH, spoken())
    assert answer.results[0].alternatives[0].transcript == "ever tried"


@pytest.mark.parametrize("times", [False, True])
@pytest.mark.parametrize("confidence", [False, True])
def test_words_have_what_is_asked_for(times: bool, confidence: bool) -> None:
    config = {"enable_word_time_offsets": times, "enable_word_confidence": confidence}
    dialect, _ = opened(GOOGLE, config)
    asked = start_of(sent(dialect, audio_content=b"\1")).words
    assert asked == (times or confidence)
    (answer,) = answers(dialect, *SPEECH, spoken())
    words = answer.results[0].alternatives[0].words
    assert [word.word for word in words] == (["ever", "tried"] if asked else [])
    for word, (start, end, certainty) in zip(words, [(1, 1.25, 0.5), (1.5, 2, 0.75)], strict=False):
        assert word.HasField("start_time") == times
        expected = (start, end) if times else (0, 0)
        assert (seconds(word.start_time), seconds(word.end_time)) == expected
        assert word.confidence == (certainty if confidence else 0)


def test_voice_activity_events() -> None:
    dialect = called(
        {"audio_channel_count": 2, "enable_separate_recognition_per_channel": True},
        enable_voice_activity_events=True,
    )
    both_speak = (
        Active(time=0.5, channel=0),
        Active(time=1.0, channel=1),
        Inactive(time=1.5, channel=0),
        Inactive(time=2.0, channel=1),
    )
    found = answers(dialect, *both_speak)
    events = [(event.speech_event_type, seconds(event.speech_event_time)) for event in found]
    assert events == [(BEGIN, 0.5), (END, 2.0)]
    assert [len(event.results) for event in found] == [0, 0]
    assert list(answers(called(), *both_speak)) == []


def test_a_single_utterance_ends_the_call() -> None:
    dialect = called(single_utterance=True)
    over, stop = answers(dialect, *SPEECH)
    assert (over.speech_event_type, stop) == (OVER, DisconnectRequested())
    # What was said afterwards was received, and is not wanted.
    later = (Active(time=2.5, channel=0), Inactive(time=3.5, channel=0))
    growing = Interim(start_time=2.25, end_time=3.0, channel=0, output={"text": "No"})
    (result,) = answers(dialect, *later, spoken(), growing, segment(2.25, 3.75))
    assert result.results[0].alternatives[0].transcript == "ever tried"


def test_a_single_utterance_is_over_once() -> None:
    channels = {"audio_channel_count": 2, "enable_separate_recognition_per_channel": True}
    dialect = called(channels, single_utterance=True)
    both_speak = (Active(time=0.5, channel=0), Active(time=1.0, channel=1))
    assert len(answers(dialect, *both_speak, Inactive(time=1.5, channel=0))) == 2
    (result,) = answers(dialect, Inactive(time=2.0, channel=1), spoken(channel=1))
    assert result.results[0].channel_tag == 2


def test_phrases_are_key_terms() -> None:
    contexts = [
        {"phrases": ["Jean Valjean", "$OOV_CLASS_DIGIT_SEQUENCE", "  ", "Cosette"], "boost": 15},
        {"phrases": ["Javert"], "boost": -1},
        {"phrases": ["Cosette", "Fantine"]},
    ]
    assert start_of(begun(speech_contexts=contexts)).keyterms == (
        "Jean Valjean",
        "Cosette",
        "Fantine",
    )
    adaptation = {"phrase_sets": [{"phrases": [{"value": "Montreuil"}]}]}
    start = start_of(begun(speech_contexts=contexts, adaptation=adaptation))
    assert start.keyterms == ("Montreuil",)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"encoding": 7},
            "'config.encoding' is \"SPEEX_WITH_HEADER_BYTE\"; allowed: LINEAR16, MULAW, FLAC, AMR, "
            "AMR_WB, OGG_OPUS, MP3, WEBM_OPUS, ENCODING_UNSPECIFIED",
        ),
        ({"encoding": 99}, "'config.encoding' is 99; allowed: LINEAR16, "),
        ({"sample_rate_hertz": 4_000}, "'config.sample_rate_hertz' is 4000; allowed: 8000 to"),
        ({"audio_channel_count": 9}, "'config.audio_channel_count' is 9; allowed: 1 to 2"),
        (
            {"language_code": "de-DE", "alternative_language_codes": ["fr-FR"]},
            "'config.language_code' is \"de-DE, fr-FR\"; allowed with the model tiny: en, multi",
        ),
    ],
)
def test_what_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest) as refused:
        opened(GOOGLE, config)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("config", "language", "model"),
    [
        ({"language_code": "de-DE", "alternative_language_codes": ["en-AU"]}, "en-au", "tiny"),
        ({"language_code": ""}, "", "tiny"),
        ({"language_code": "auto"}, "", "tiny"),
        ({"language_code": "de-DE", "model": "other"}, "de-de", "other"),
        ({"model": "latest_long"}, "en-us", "tiny"),
    ],
)
def test_languages_and_models(config: dict[str, Any], language: str, model: str) -> None:
    assert start_of(begun(**config)).model == model
    (answer,) = answers(called(config), *SPEECH, spoken())
    assert answer.results[0].language_code == language


def test_options_without_an_effect_are_named(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    opened(GOOGLE, {"max_alternatives": 1})
    assert not caplog.messages
    opened(GOOGLE, {"max_alternatives": 3, "use_enhanced": True})
    assert caplog.messages == ["google: ignored: max_alternatives, use_enhanced"]
