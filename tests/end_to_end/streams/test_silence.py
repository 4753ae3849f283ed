"""Audio without speech: an empty text, by every way to the transcriber."""

import numpy as np
import pytest

from tests.end_to_end.http.posting import post
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


async def test_sentences_at_40_db_less_are_transcribed(transcriber: Server) -> None:
    samples = np.frombuffer(beckett().data, np.int16) / 32_768
    events = await stream_audio(transcriber, encode(samples / 100, 16_000))
    assert len(events_of(events, "segment")) == 6
    assert word_error_rate(BECKETT, transcript(events)) < 0.5
