"""Google's package, unchanged but for the address, gets the words of our own protocol."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from streamer.http.spoken_words import plain
from streamer.weights.manifest import require
from tests.end_to_end.rpc.recognizers import (
    MISSPELT,
    PUNCTUATED,
    TERM,
    google,
    last_seconds,
    recorded_text,
    results,
    run,
    seconds,
    text,
)
from tests.end_to_end.streams.containers import beckett_samples, speech
from tests.recordings.makers import encoded
from tests.rpc.test_riff import chunk, data, fmt, head
from tools.harness.json_socket import Event
from tools.harness.process import Server
from tools.harness.sounds import (
    beckett,
    recording,
    two_cities,
    two_cities_by_telephone,
    word_error_rate,
)
from tools.harness.streams import events_of, stream_audio, transcript

BECKETT = require("moonshine-tiny-en") / "beckett.wav"
SYNC = google("sync")


async def own(server: Server, **start: Any) -> list[Event]:
    return await stream_audio(server, beckett(), **start)


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_the_same_words_as_our_own_protocol(rpc_transcriber: Server, kind: str) -> None:
    lines = await run(google(kind), rpc_transcriber, config=PUNCTUATED)
    assert text(lines) == transcript(await stream_audio(rpc_transcriber, two_cities()))
    assert results(lines, final=False) == []
    for result in results(lines):
        assert (result["channel_tag"], result["language_code"]) == (1, "en-us")
        assert 0 < result["alternatives"][0]["confidence"] <= 1


async def test_words_with_their_times_and_confidence(rpc_transcriber: Server) -> None:
    wanted = {"enable_word_time_offsets": True, "enable_word_confidence": True}
    lines = await run(SYNC, rpc_transcriber, BECKETT, config=PUNCTUATED | wanted)
    segments = events_of(await own(rpc_transcriber, words=True), "segment")
    for result, segment in zip(results(lines), segments, strict=True):
        assert seconds(result["result_end_time"]) == pytest.approx(segment["end_time"], abs=1e-3)
        found = [
            (word["word"], seconds(word["start_time"]), seconds(word["end_time"]))
            for word in result["alternatives"][0]["words"]
        ]
        expected = [(w["text"], w["start_time"], w["end_time"]) for w in segment["words"]]
        assert found == expected
        sure = [word["confidence"] for word in result["alternatives"][0]["words"]]
        assert sure == pytest.approx([word["confidence"] for word in segment["words"]])


async def test_interims_and_events_in_their_order(rpc_transcriber: Server) -> None:
    streaming = {"interim_results": True, "enable_voice_activity_events": True}
    lines = await run(SYNC, rpc_transcriber, BECKETT, streaming=streaming, pause_s=0.05)
    events = await own(rpc_transcriber)
    kinds = [line["speech_event_type"] for line in lines if not line["results"]]
    times = [seconds(line["speech_event_time"]) for line in lines if not line["results"]]
    assert kinds == [2, 3] * len(events_of(events, "segment"))
    speech_events = events_of(events, "active", "inactive")
    assert times == pytest.approx([event["time"] for event in speech_events], abs=1e-3)
    assert results(lines, final=False)
    assert text(lines) == plain(transcript(events))


async def test_a_single_utterance_ends_the_call(rpc_transcriber: Server) -> None:
    lines = await run(SYNC, rpc_transcriber, BECKETT, streaming={"single_utterance": True})
    first = events_of(await own(rpc_transcriber), "segment")[0]["text"]
    over, *rest = lines
    assert over["speech_event_type"] == 1
    assert text(rest) == plain(first)
    assert len(rest) == 1


async def test_phrases_reach_the_model(rpc_transcriber: Server, tmp_path: Path) -> None:
    file = last_seconds(tmp_path)
    plainly = text(await run(SYNC, rpc_transcriber, file, config=PUNCTUATED))
    contexts = [{"phrases": [TERM, "Kubernetes"], "boost": 10}]
    config = PUNCTUATED | {"speech_contexts": contexts}
    named = text(await run(SYNC, rpc_transcriber, file, config=config))
    assert MISSPELT in plainly
    assert named == plainly.replace(MISSPELT, TERM)


def in_container(kind: str) -> bytes:
    if kind != "AMR":
        return speech(kind)
    samples = beckett_samples(8_000)
    return encoded(samples, 8_000, "amr", "libopencore_amrnb", pipe=True)


@pytest.mark.parametrize(
    ("encoding", "kind"),
    [
        ("FLAC", "FLAC"),
        ("OGG_OPUS", "Ogg/Opus"),
        ("WEBM_OPUS", "WebM/Opus"),
        ("MP3", "MP3"),
        ("AMR", "AMR"),
        ("ENCODING_UNSPECIFIED", "WAV"),
        ("ENCODING_UNSPECIFIED", "FLAC"),
    ],
)
async def test_containers(
    rpc_transcriber: Server, tmp_path: Path, encoding: str, kind: str
) -> None:
    path = tmp_path / "speech"
    path.write_bytes(in_container(kind))
    config = PUNCTUATED | {"encoding": encoding}
    lines = await run(SYNC, rpc_transcriber, path, config=config, whole=True)
    assert len(results(lines)) == 6, lines
    assert "again" in text(lines)


async def test_telephone_audio_and_a_header_in_raw_audio(
    rpc_transcriber: Server, tmp_path: Path
) -> None:
    telephone, header = tmp_path / "telephone", tmp_path / "header"
    telephone.write_bytes(two_cities_by_telephone().part(0, 10))
    config: dict[str, Any] = {"encoding": "MULAW", "sample_rate_hertz": 8_000}
    lines = await run(SYNC, rpc_transcriber, telephone, config=config, whole=True)
    assert "best of times" in text(lines)
    # With chunks before the samples, and cut in the middle of everything.
    chunks = chunk(b"LIST", b"INFOISFT\x05\0\0\0made\0"), fmt(), chunk(b"fact", bytes(4))
    header.write_bytes(head(*chunks) + data(beckett().data))
    config = PUNCTUATED | {"encoding": "LINEAR16", "sample_rate_hertz": 16_000}
    lines = await run(SYNC, rpc_transcriber, header, config=config, whole=True, bytes=7)
    assert text(lines) == transcript(await own(rpc_transcriber))


async def test_channels_have_their_own_results_or_are_mixed(
    rpc_transcriber: Server, tmp_path: Path
) -> None:
    """The second channel is silent."""
    samples, rate = recording("beckett.wav")
    stereo = tmp_path / "stereo.wav"
    soundfile.write(stereo, np.stack([samples, 0 * samples], axis=1), rate, "PCM_16")
    config = PUNCTUATED | {"audio_channel_count": 2}
    separate = {"enable_separate_recognition_per_channel": True}
    said = transcript(await own(rpc_transcriber))
    lines = await run(SYNC, rpc_transcriber, stereo, config=config | separate)
    assert {result["channel_tag"] for result in results(lines)} == {1}
    assert text(lines) == said
    lines = await run(SYNC, rpc_transcriber, stereo, config=config)
    assert word_error_rate(said, text(lines)) < 0.3, "the mix is half as loud"


async def test_a_recording_in_one_request(rpc_transcriber: Server) -> None:
    lines = await run(google("recording"), rpc_transcriber, BECKETT, config=PUNCTUATED)
    (answer,) = lines
    assert recorded_text(lines) == transcript(await own(rpc_transcriber))
    assert seconds(answer["total_billed_time"]) == pytest.approx(beckett().seconds, abs=1e-3)
