"""`POST /api/v1/analyze`: every kind of file gives what the sockets give."""

import asyncio
import json

import numpy as np
import pytest

from tests.end_to_end.http.posting import (
    KINDS,
    Kind,
    analyze,
    analyzed,
    encoded,
    post,
    refused,
    wav,
)
from tools.harness.process import Server
from tools.harness.sounds import (
    SUBTYPES,
    TWO_CITIES,
    Float64Samples,
    encode,
    recording,
    two_cities,
    two_cities_by_telephone,
    word_error_rate,
)
from tools.harness.streams import events_of, stream_audio

ALLOWED = 0.15


def beckett_file(kind: Kind = KINDS[0]) -> bytes:
    return encoded(*recording("beckett.wav"), kind)


def times(segments: list[dict[str, float]]) -> list[float]:
    return [segment[name] for segment in segments for name in ("start_time", "end_time")]


# --- The same as on the sockets ---


@pytest.mark.parametrize("name", ["beckett.wav", "two_cities.wav"])
async def test_the_finals_are_those_of_the_sockets(transcriber: Server, name: str) -> None:
    samples, rate = recording(name)
    live = events_of(await stream_audio(transcriber, encode(samples, rate)), "segment")
    answer = await asyncio.to_thread(analyzed, transcriber, wav(samples, rate))
    assert answer["segments"] == live
    assert answer["model"] == "moonshine-tiny-en"
    assert answer["sample_rate"] == 16_000
    assert answer["duration_seconds"] == len(samples) / rate
    assert answer["inference_ms"] > 0
    assert answer["total_ms"] > 0
    assert "errors" not in answer


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_every_kind_of_file_has_the_same_segments(standin: Server, kind: Kind) -> None:
    live = events_of(await stream_audio(standin, encode(*recording("beckett.wav"))), "segment")
    body = beckett_file(kind)
    for media_type in (None, kind.media_type, f"{kind.media_type}; codecs=1"):
        answer = await asyncio.to_thread(analyzed, standin, body, media_type=media_type)
        found = answer["segments"]
        if kind.lossy:
            assert len(found) == len(live)
            # A window of the VAD, 32 ms, may fall on the other side; two where speech fades.
            assert times(found) == pytest.approx(times(live), abs=0.07)
        else:
            assert found == live


@pytest.mark.parametrize("kind", [KINDS[0], KINDS[-1]], ids=str)
def test_a_long_file_is_decoded_without_seams(transcriber: Server, kind: Kind) -> None:
    answer = analyzed(transcriber, encoded(*recording("two_cities.wav"), kind))
    assert answer["duration_seconds"] == pytest.approx(44, abs=0.5)
    said = " ".join(segment["text"] for segment in answer["segments"])
    assert word_error_rate(TWO_CITIES, said) <= ALLOWED


@pytest.mark.parametrize(("bits", "is_float", "encoding"), SUBTYPES)
async def test_raw_pcm_with_its_format_in_the_query(
    standin: Server, bits: int, is_float: bool, encoding: str
) -> None:
    audio = encode(*recording("beckett.wav"), bits, is_float, encoding)
    live = events_of(await stream_audio(standin, audio), "segment")
    query = {"sample_rate": 16_000, "bit_depth": bits, "encoding": encoding}
    flags = {"is_float": str(is_float).lower()}
    answer = await asyncio.to_thread(analyzed, standin, audio.data, **query, **flags)
    assert answer["segments"] == live


def test_companded_samples_have_eight_bits(standin: Server) -> None:
    audio = two_cities_by_telephone()
    answer = analyzed(standin, audio.data, sample_rate=8_000, encoding="mulaw")
    assert answer["duration_seconds"] == audio.seconds
    assert answer["segments"]


async def test_the_segmentation_can_be_set(standin: Server) -> None:
    vad = {"min_silence_ms": 100, "max_segment_ms": 3_000, "threshold": 0.6}
    live = events_of(await stream_audio(standin, two_cities(), vad=vad), "segment")
    body = encoded(*recording("two_cities.wav"), KINDS[0])
    assert (await asyncio.to_thread(analyzed, standin, body, **vad))["segments"] == live
    assert len(live) > 15


# --- Channels ---


async def test_channels_are_split_or_mixed(standin: Server) -> None:
    samples, rate = recording("beckett.wav")
    both = np.stack([samples, np.roll(samples, rate)], axis=1)
    live = events_of(await stream_audio(standin, encode(both, rate)), "segment")
    live.sort(key=lambda segment: (segment["start_time"], segment["channel"]))
    split = await asyncio.to_thread(analyzed, standin, wav(both, rate))
    assert split["segments"] == live
    assert {segment["channel"] for segment in live} == {0, 1}
    twice = np.stack([samples, samples], axis=1)
    mixed = await asyncio.to_thread(analyzed, standin, wav(twice, rate), channels="mix")
    assert mixed["segments"] == analyzed(standin, wav(samples, rate))["segments"]


def test_more_channels_than_allowed(standin: Server) -> None:
    body = wav(np.zeros((16_000, 9)))
    for channels in ("split", "mix"):
        message = refused(analyze(standin, body, channels=channels), 400, "bad_format")
        assert message == ("the recording has 9 channels; allowed: limits.max_channels, 8")


# --- Without a VAD ---


def test_one_result_over_the_whole(standin: Server) -> None:
    answer = analyzed(standin, wav(np.zeros((48_000, 2)), 48_000), vad="false")
    assert answer["segments"] == [
        {
            "type": "segment",
            "start_time": 0.0,
            "end_time": 1.0,
            "is_final": True,
            "channel": channel,
            "count": 16_000,
        }
        for channel in (0, 1)
    ]


def test_the_whole_may_be_longer_than_a_segment_of_a_stream(standin: Server) -> None:
    answer = analyzed(standin, wav(np.zeros(16_000 * 90)), vad="false")
    assert [segment["count"] for segment in answer["segments"]] == [16_000 * 90]


def test_the_whole_is_bounded_by_what_the_model_takes(transcriber: Server) -> None:
    body = wav(np.zeros(16_000 * 61))
    message = refused(analyze(transcriber, body, vad="false"), 413, "too_long")
    assert "longer than 60 s" in message
    assert "what the model moonshine-tiny-en takes" in message
    assert analyzed(transcriber, body)["segments"] == []


# --- Shapes of the answer ---


def test_text_and_subtitles(transcriber: Server) -> None:
    body = beckett_file()
    text = analyze(transcriber, body, format="text")
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    segments = analyzed(transcriber, body, words="true")["segments"]
    assert text.text.splitlines() == [segment["text"] for segment in segments]
    srt = analyze(transcriber, body, format="srt")
    assert srt.headers["content-type"].startswith("application/x-subrip")
    cues = srt.text.strip().split("\n\n")
    assert len(cues) == len(segments) == 6
    begins_s, ends_s = segments[0]["words"][0]["start_time"], segments[0]["end_time"]
    times = f"00:00:{begins_s:06.3f} --> 00:00:{ends_s:06.3f}"
    assert cues[0].splitlines() == ["1", times.replace(".", ","), "Ever tried."]
    vtt = analyze(transcriber, body, format="vtt")
    assert vtt.headers["content-type"] == "text/vtt; charset=utf-8"
    header, *cues = vtt.text.strip().split("\n\n")
    assert header == "WEBVTT"
    assert cues[0].splitlines() == [times, "Ever tried."]


def test_subtitles_of_several_channels_say_which(standin: Server) -> None:
    samples, rate = recording("beckett.wav")
    body = wav(np.stack([samples, samples], axis=1), rate)
    assert "channel 2: count=" in analyze(standin, body, format="text").text
    assert "\n[channel 1] count=" in analyze(standin, body, format="srt").text
    assert "\n<v channel 2>count=" in analyze(standin, body, format="vtt").text


def test_silence_has_no_segments(standin: Server) -> None:
    body = wav(np.zeros(16_000))
    assert analyzed(standin, body)["segments"] == []
    assert analyze(standin, body, format="text").text == ""
    assert analyze(standin, body, format="srt").text == ""
    assert analyze(standin, body, format="vtt").text == "WEBVTT\n\n"


# --- What is asked for ---


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"formt": "srt"}, "unknown field 'formt'; allowed: bit_depth, channel_count, channels,"),
        ({"format": "pdf"}, "'format' is \"pdf\"; allowed: one of json, srt, text, vtt"),
        ({"channels": 2}, "'channels' is \"2\"; allowed: one of mix, split"),
        ({"vad": "maybe"}, "'vad' is \"maybe\"; allowed: true or false"),
        ({"threshold": 1}, "'threshold' is \"1\"; allowed: a number above 0 and below 1"),
        ({"threshold": "nan"}, "'threshold' is \"nan\"; allowed: a number above 0 and below 1"),
        ({"sample_rate": 7999}, "'sample_rate' is \"7999\"; allowed: a whole number from 8000"),
        ({"threshold": "null"}, "'threshold' is \"null\"; allowed: a number above 0 and below 1"),
        ({"bit_depth": 16}, "'bit_depth' is given without 'sample_rate'"),
        (
            {"prefix_padding_ms": 2_000, "max_segment_ms": 1_000},
            "prefix_padding_ms + min_speech_ms is 2200",
        ),
    ],
)
def test_what_cannot_be_asked_for(standin: Server, query: dict[str, object], says: str) -> None:
    assert says in refused(analyze(standin, b"", **query), 400, "bad_request")


def test_a_parameter_twice(standin: Server) -> None:
    reply = post(standin, "/api/v1/analyze?vad=true&vad=false", b"")
    assert refused(reply, 400, "bad_request") == "'vad' is given more than once"


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"bit_depth": 12}, "'bit_depth' is 12; allowed for integer PCM: 8, 16, 24, 32"),
        ({"bit_depth": 8, "is_float": "true"}, "'bit_depth' is 8; allowed for float PCM: 32, 64"),
        ({"channel_count": 9}, "'channel_count' is 9; allowed: 1 to 8"),
        ({"encoding": "alaw", "bit_depth": 16}, "'bit_depth' is 16; allowed with alaw: 8"),
        ({"encoding": "mulaw", "is_float": "1"}, "'is_float' is true; allowed with mulaw: false"),
    ],
)
def test_an_impossible_raw_format(standin: Server, query: dict[str, object], says: str) -> None:
    """In the words of the query."""
    assert refused(analyze(standin, b"", sample_rate=16_000, **query), 400, "bad_format") == says


@pytest.mark.parametrize(
    ("samples", "rate", "says"),
    [
        (np.zeros(4_000), 4_000, "has a sample rate of 4000 Hz; allowed: 8000 to 192000 Hz"),
        (np.zeros((8_000, 9)), 8_000, "has 9 channels; allowed: limits.max_channels, 8"),
    ],
)
def test_a_file_of_an_impossible_format(
    standin: Server, samples: Float64Samples, rate: int, says: str
) -> None:
    """No field of the request is named: the request has none for it."""
    body = wav(samples, rate)
    message = refused(analyze(standin, body), 400, "bad_format")
    assert message == f"the recording {says}"
    form = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + body + b"\r\n--x--\r\n"
    reply = post(standin, "/v1/audio/transcriptions", form, "multipart/form-data; boundary=x")
    assert reply.json()["error"]["message"] == message


def test_an_unknown_model(standin: Server) -> None:
    reply = analyze(standin, beckett_file(), model="other")
    assert refused(reply, 404, "unknown_model") == "'model' is \"other\"; allowed: standin"


def test_only_post(standin: Server) -> None:
    reply = standin.get("/api/v1/analyze")
    assert refused(reply, 405, "method_not_allowed").endswith("does not take GET; allowed: POST")
    assert reply.headers["allow"] == "POST"


def test_the_work_belongs_to_the_clients_trace(standin: Server) -> None:
    trace_id, before = "4bf92f3577b34da6a3ce929d0e0e4736", standin.log_bytes
    header = {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
    assert post(standin, "/api/v1/analyze", beckett_file(), headers=header).status == 200
    (line,) = [json.loads(text) for text in standin.log(before).splitlines() if trace_id in text]
    assert line["message"] == "stream ended"
    assert line["route"] == "recording"
    assert line["segments"] == 6
    assert "audio_bytes" not in line  # that of the decoded stream would say nothing
    series = standin.get("/metrics").text
    assert 'streamer_streams_total{dialect="native",route="recording"}' in series
