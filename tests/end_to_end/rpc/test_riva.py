"""NVIDIA's package, unchanged but for the address."""

from pathlib import Path

import pytest

from streamer.http.spoken_words import bare, plain
from tests.end_to_end.conftest import Launch
from tests.end_to_end.rpc.recognizers import (
    MISSPELT,
    PUNCTUATED,
    TERM,
    failure,
    last_seconds,
    recorded_text,
    results,
    riva,
    run,
    text,
)
from tests.end_to_end.rpc.rpc_call import with_port
from tools.harness.process import Server
from tools.harness.sounds import beckett, two_cities
from tools.harness.streams import client, events_of, stream_audio, transcript


async def test_the_same_words_as_our_own_protocol(rpc_transcriber: Server) -> None:
    """The file is sent with its header, which has a chunk of text before the samples."""
    lines = await run(riva("live"), rpc_transcriber, config=PUNCTUATED)
    assert text(lines) == transcript(await stream_audio(rpc_transcriber, two_cities()))


async def test_words_and_interims(rpc_transcriber: Server) -> None:
    config = {"enable_word_time_offsets": True}
    lines = await run(riva("live"), rpc_transcriber, "beckett.wav", config=config, pause_s=0.2)
    assert results(lines, final=False)
    events = await stream_audio(rpc_transcriber, beckett(), words=True)
    segments = events_of(events, "segment")
    assert text(lines) == plain(transcript(events))
    for result, segment in zip(results(lines), segments, strict=True):
        assert result["audio_processed"] == pytest.approx(segment["end_time"], abs=1e-3)
        words = result["alternatives"][0]["words"]
        found = [(word["word"], word["start_time"], word["end_time"]) for word in words]
        assert found == [
            (bare(word["text"]), round(1000 * word["start_time"]), round(1000 * word["end_time"]))
            for word in segment["words"]
        ]


@pytest.mark.parametrize("kind", ["live", "recording"])
async def test_boosted_words_reach_the_model(
    rpc_transcriber: Server, tmp_path: Path, kind: str
) -> None:
    file = last_seconds(tmp_path)
    said = text if kind == "live" else recorded_text
    plainly = said(await run(riva(kind), rpc_transcriber, file, config=PUNCTUATED))
    named = said(await run(riva(kind), rpc_transcriber, file, config=PUNCTUATED, terms=[TERM]))
    assert MISSPELT in plainly
    assert named == plainly.replace(MISSPELT, TERM)


async def test_a_recording_in_one_request(rpc_transcriber: Server) -> None:
    lines = await run(riva("recording"), rpc_transcriber, config=PUNCTUATED)
    said = transcript(await stream_audio(rpc_transcriber, two_cities()))
    assert recorded_text(lines) == said


async def test_the_models(rpc_transcriber: Server) -> None:
    (answer,) = await run(riva("models"), rpc_transcriber)
    assert [entry["model_name"] for entry in answer["model_config"]] == ["moonshine-tiny-en"] * 2
    assert [entry["parameters"]["type"] for entry in answer["model_config"]] == [
        "online",
        "offline",
    ]
    assert answer["model_config"][0]["parameters"]["language_code"] == "en"
    lines = await run(riva("models"), rpc_transcriber, model_name="conformer")
    assert failure(lines) == (
        "INVALID_ARGUMENT",
        "'model_name' is \"conformer\"; allowed: moonshine-tiny-en",
    )


async def test_a_token_and_a_full_server(launch: Launch) -> None:
    access = {"access": {"tokens": ["correct-horse"]}, "limits": {"max_sessions": 1}}
    server = launch(with_port(access))
    for kind in ("live", "recording", "models"):
        options = {} if kind == "models" else {"token": "wrong"}
        assert failure(await run(riva(kind), server, "beckett.wav", **options))[0] == (
            "UNAUTHENTICATED"
        )
    lines = await run(riva("live"), server, "beckett.wav", token="correct-horse")
    assert len(results(lines)) == 6
    async with client(server, authorization="Bearer correct-horse") as other:
        await other.start(beckett())
        lines = await run(riva("live"), server, "beckett.wav", token="correct-horse")
        assert failure(lines)[0] == "RESOURCE_EXHAUSTED"
