"""What programs put into the query of Deepgram's addresses, and what it means here."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.audio.format import AudioFormat
from streamer.config.key_terms import MAX_KEY_TERMS
from streamer.config.segmentation import VadConfig
from streamer.dialects.deepgram.settings import utterance_end_s, vad_options
from streamer.http.deepgram_query import KNOWN, ListenQuery, QueryRefused, ServedModel

TINY = ServedModel("moonshine-tiny-en", "moonshine", ("en",))
OWN = ServedModel("own", "package:Class")

LIVEKIT = (
    "model=nova-3&punctuate=true&smart_format=false&no_delay=true&interim_results=true"
    "&encoding=linear16&vad_events=true&sample_rate=16000&channels=1&endpointing=25"
    "&filler_words=true&profanity_filter=false&numerals=false&mip_opt_out=false&language=en-US"
)
PIPECAT = (
    "channels=1&detect_entities=false&diarize=false&dictation=false&encoding=linear16"
    "&interim_results=true&language=en&model=nova-3-general&multichannel=false&numerals=false"
    "&punctuate=true&sample_rate=16000&smart_format=false"
)


def query(text: str, *models: ServedModel) -> ListenQuery:
    items = [tuple(item.split("=", 1)) for item in text.split("&") if item]
    return ListenQuery(items, models or (TINY, OWN))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [LIVEKIT, PIPECAT])
def test_what_known_programs_send(text: str) -> None:
    read = query(text)
    assert read.model is TINY
    assert read.format == AudioFormat(16_000)
    assert read.punctuated
    assert read.true("interim_results")
    assert not read.mixed
    assert "numerals" in read.ignored


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("encoding=linear16", AudioFormat(16_000)),
        ("encoding=LINEAR16&sample_rate=48000&channels=2", AudioFormat(48_000, 2)),
        ("encoding=linear16&sample_rate=24000.0", AudioFormat(24_000)),
        ("encoding=linear32&sample_rate=8000", AudioFormat(8_000, 1, 32, is_float=True)),
        ("encoding=mulaw", AudioFormat(8_000, 1, 8, encoding="mulaw")),
        ("encoding=alaw&sample_rate=16000", AudioFormat(16_000, 1, 8, encoding="alaw")),
        ("sample_rate=16000", None),
        ("encoding=", None),
    ],
)
def test_formats(text: str, expected: AudioFormat | None) -> None:
    assert query(text).format == expected


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        ("encoding=speex", "encoding", "allowed: linear16, linear32, mulaw, alaw, ogg-opus, flac"),
        ("encoding=opus", "encoding", "Packets of Opus need a container: Ogg or WebM"),
        ("sample_rate=fast", "sample_rate", "'sample_rate' is \"fast\""),
        ("channels=0", "channels", "allowed: a whole number from 1"),
        ("language=de", "language", "allowed with the model moonshine-tiny-en: en, multi"),
        ("language=de&language=fr", "language", "'language' is \"de, fr\""),
        ("callback=http://a.example", "callback", "results are sent on this connection only"),
    ],
)
def test_what_would_give_wrong_text_is_refused(text: str, field: str, message: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        query(text)
    assert refused.value.field == field
    assert message in refused.value.message


@pytest.mark.parametrize("language", ["en", "EN_gb", "English", "multi", "auto", "", "eng"])
def test_languages(language: str) -> None:
    assert query(f"language={language}").model is TINY


def test_a_model_of_ones_own_is_believed_to_have_every_language() -> None:
    assert query("language=de&model=own").model is OWN


def test_key_terms_of_both_kinds() -> None:
    read = query("keyterm=Oslo&keyterm=Acme Corp&keywords=snow:2.5&keywords=rain:-1&keywords=a:b")
    assert read.key_terms == ("Oslo", "Acme Corp", "snow", "a:b")
    many = "&".join(f"keyterm=t{number}" for number in range(500))
    assert len(query(f"{many}&keyterm=Oslo&keyterm=...").key_terms) == MAX_KEY_TERMS


@pytest.mark.parametrize(
    ("text", "min_silence_ms"),
    [
        ("", None),
        ("endpointing=true", None),
        ("endpointing=25", 300),
        ("endpointing=0", 300),
        ("endpointing=800", 800),
        ("endpointing=99999", 10_000),
        ("endpointing=False", 10_000),
        ("endpointing=soon", None),
    ],
)
def test_pauses_that_end_a_segment(text: str, min_silence_ms: int | None) -> None:
    assert vad_options(query(text), VadConfig()).min_silence_ms == min_silence_ms


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", None), ("utterance_end_ms=1500", 1.5), ("utterance_end_ms=10", 1.0)],
)
def test_pauses_that_end_an_utterance(text: str, seconds: float | None) -> None:
    assert utterance_end_s(query(text)) == seconds


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.sampled_from(sorted(KNOWN)), st.text(max_size=12)),
            st.one_of(
                st.sampled_from(["true", "False", "16000", "en", "linear16", "0", "-1", "1e9"]),
                st.text(max_size=12),
            ),
        ),
        max_size=8,
    )
)
def test_whatever_is_in_it_is_read_or_refused(items: list[tuple[str, str]]) -> None:
    try:
        read = ListenQuery(items, (TINY,))
    except QueryRefused:
        return
    assert set(read.ignored).isdisjoint(KNOWN)
    vad = vad_options(read, VadConfig())
    assert vad.min_silence_ms is None or 300 <= vad.min_silence_ms <= 10_000


@pytest.mark.parametrize("text", [":" + "1" * 40_000 + "x", ":1" * 20_000 + "x", ":1." * 10_000])
def test_a_long_keyword_costs_no_more_than_it_is_long(text: str) -> None:
    """Its cost is in proportion to its length, so a client cannot delay other clients."""
    before_s = time.process_time()
    assert query(f"keywords={text}").key_terms == ()
    assert time.process_time() - before_s < 0.5  # with a pattern that tries each pair: 20 s
