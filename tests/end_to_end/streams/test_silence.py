"""Audio without speech: an empty text, by every way to the transcriber."""

import numpy as np
import pytest

from tests.end_to_end.http.posting import post
from tests.end_to_end.telemetry.test_metrics import scrape, value
from tools.harness.process import Server
from tools.harness.sounds import BECKETT, Audio, beckett, encode, word_error_rate
from tools.harness.streams import events_of, stream_audio, transcript

TIMES_S = np.arange(3 * 16_000) / 16_000
SOUNDS = {
    "zeros": 0 * TIMES_S,
    "dither": np.random.default_rng(1).choice([-1, 0, 1], len(TIMES_S)) / 32_768,
    "hum": np.sum([np.sin(2 * np.pi * 50 * k * TIMES_S) / k for k in range(1, 8)], axis=0) / 20,
    "DC": 0.3 + 0 * TIMES_S,
}


@pytest.fixture(params=SOUNDS)
def sound(request: pytest.FixtureRequest) -> Audio:
    return encode(SOUNDS[request.param], 16_000)


async def test_chunks_without_speech_have_no_text(transcriber: Server, sound: Audio) -> None:
    segments = events_of(await stream_audio(transcriber, sound, "simple"), "segment")
    assert [segment["text"] for segment in segments] == ["", "", ""]


@pytest.mark.parametrize(
    "path",
    ["/analyze_pcm_s16le", "/api/v1/analyze?vad=false&sample_rate=16000&bit_depth=16"],
)
def test_requests_without_speech_have_no_text(transcriber: Server, sound: Audio, path: str) -> None:
    reply = post(transcriber, path, sound.data, "application/octet-stream")
    answer = reply.json()
    assert reply.status == 200, answer
    assert [each["text"] for each in answer.get("segments", [answer])] == [""]


async def test_what_the_gate_drops_is_counted_and_arrives(
    transcriber: Server, sound: Audio
) -> None:
    """Between two chunks of speech, which count as transcribed."""

    def dropped_s() -> float:
        return value(scrape(transcriber), "channel_audio_seconds_total", entry="dropped")

    before_s = dropped_s()
    spoken = beckett().part(0, 1)
    audio = Audio(spoken + sound.data + spoken)
    events = await stream_audio(transcriber, audio, "simple")
    first, *between, last = events_of(events, "segment")
    assert [segment["text"] for segment in between] == ["", "", ""]
    assert first["text"]
    assert last["text"]
    [seconds] = events[-1]["seconds"]
    assert (seconds["dropped"], seconds["transcribed"]) == (3, 2)
    assert dropped_s() - before_s == pytest.approx(3)


async def test_sentences_at_40_db_less_are_transcribed(transcriber: Server) -> None:
    samples = np.frombuffer(beckett().data, np.int16) / 32_768
    events = await stream_audio(transcriber, encode(samples / 100, 16_000))
    assert len(events_of(events, "segment")) == 6
    assert word_error_rate(BECKETT, transcript(events)) < 0.5
