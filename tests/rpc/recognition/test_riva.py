"""What only NVIDIA's clients ask for, and get."""

import pytest

from streamer.audio.format import AudioFormat
from streamer.protocol.events import Active, Inactive, Interim
from streamer.protocol.requests import BadRequest
from tests.rpc.recognition.messages import RAW, RIVA, answers, live, opened, sent, spoken, start_of


def test_interims_and_finals() -> None:
    dialect = live(RIVA)
    config = {**RAW, "enable_word_time_offsets": True}
    inputs = sent(dialect, streaming_config={"config": config}, id={"value": "call 7"})
    inputs += sent(dialect, audio_content=b"\1")
    assert start_of(inputs).words
    growing = Interim(start_time=0.75, end_time=1.5, channel=0, output={"text": "Ever"})
    speech = (Active(time=1.0, channel=0), growing, Inactive(time=2.0, channel=0), spoken())
    interim, final = answers(dialect, *speech)
    assert interim.id.value == final.id.value == "call 7"
    assert interim.results[0].alternatives[0].transcript == "ever"
    assert interim.results[0].audio_processed == 1.5
    (alternative,) = final.results[0].alternatives
    # NVIDIA's client puts the transcripts of a recording behind each other as they are.
    assert (alternative.transcript, alternative.confidence) == ("ever tried ", 0.875)
    assert list(alternative.language_code) == ["en-US"]
    assert [(w.word, w.start_time, w.end_time, w.confidence) for w in alternative.words] == [
        ("ever", 1_000, 1_250, 0.5),
        ("tried", 1_500, 2_000, 0.75),
    ]


def test_settings() -> None:
    config = {
        "encoding": 20,
        "sample_rate_hertz": 8_000,
        "speech_contexts": [{"phrases": ["Cosette"], "boost": 20.0}],
        "endpointing_config": {"stop_history": 1_000},
    }
    dialect, _ = opened(RIVA, config)
    start = start_of(sent(dialect, audio_content=b"\1"))
    assert start.format == AudioFormat(8_000, 1, 8, encoding="alaw")
    assert (start.keyterms, start.vad.min_silence_ms) == (("Cosette",), 1_000)


@pytest.mark.parametrize(("given", "used"), [(1, 300), (60_000, 10_000)])
def test_pauses_are_brought_into_the_range(given: int, used: int) -> None:
    dialect, _ = opened(RIVA, {"endpointing_config": {"stop_history": given}})
    assert start_of(sent(dialect, audio_content=b"\1")).vad.min_silence_ms == used


def test_what_is_refused() -> None:
    encodings = "LINEAR_PCM, MULAW, ALAW, FLAC, OGGOPUS, ENCODING_UNSPECIFIED"
    with pytest.raises(BadRequest, match=f"'config.encoding' is 9; allowed: {encodings}"):
        opened(RIVA, {"encoding": 9})
    with pytest.raises(BadRequest, match='is "de-DE"; allowed with the model tiny: en, multi'):
        opened(RIVA, {"language_code": "de-DE"})


def test_settings_that_change_within_a_stream_have_no_effect() -> None:
    dialect, _ = opened(RIVA)
    request = RIVA.streaming_request.FromString(b"\x1a\x08\x0a\x01a\x12\x03xyz")  # runtime_config
    assert list(dialect.read(request.SerializeToString())) == []
