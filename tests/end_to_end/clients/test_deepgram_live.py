"""Deepgram's live protocol: the same words as our own, and what happens when things go wrong."""

import asyncio
import contextlib
import io
import json
import signal
import wave
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.end_to_end.clients.deepgram_socket import (
    described,
    finals,
    listened,
    listening,
    said,
    transcript,
)
from tests.end_to_end.conftest import Launch
from tests.end_to_end.streams.containers import speech
from tools.harness.json_socket import Event
from tools.harness.process import Server, cpu_s, wait_until
from tools.harness.sounds import (
    BECKETT,
    Audio,
    beckett,
    encode,
    recording,
    two_cities_by_telephone,
    word_error_rate,
)
from tools.harness.streams import events_of, stream_audio

TOKEN = "correct-horse"


def stereo() -> Audio:
    """Beckett on the first channel, the same a second later on the second."""
    samples, rate = recording("beckett.wav")
    later = np.concatenate([np.zeros(rate), samples[:-rate]])
    return encode(np.stack([samples, later], axis=1), rate)


def wav_file() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setparams((1, 2, 16_000, 0, "NONE", ""))
        written.writeframes(beckett().data)
    return file.getvalue()


def ours(event: Event) -> list[tuple[str, float, float]]:
    return [(word["text"], word["start_time"], word["end_time"]) for word in event["words"]]


def theirs(message: dict[str, Any]) -> list[tuple[str, float, float]]:
    return [
        (word["punctuated_word"], word["start"], word["end"]) for word in said(message)["words"]
    ]


async def test_the_same_words_as_our_own_protocol(transcriber: Server) -> None:
    """On several channels, however the audio is cut, and with its own times."""
    audio = stereo()
    events = await stream_audio(transcriber, audio, words=True)
    sizes = [1, 2_001, 7, 640, 33_333]
    options = {"multichannel": "true", "punctuate": "true"}
    messages = await listened(transcriber, audio, options, sizes)
    for channel in (0, 1):
        segments = events_of(events, "segment", channel=channel)
        results = finals(messages, channel)
        assert [said(result)["transcript"] for result in results] == [s["text"] for s in segments]
        assert [theirs(result) for result in results] == [ours(s) for s in segments]
        assert [result["start"] for result in results] == [
            round(segment["start_time"], 3) for segment in segments
        ]
        assert [said(result)["confidence"] for result in results] == [
            segment["confidence"] for segment in segments
        ]


async def test_interims_and_the_ends_of_speech_and_of_utterances(transcriber: Server) -> None:
    wanted = {"vad_events": "True", "interim_results": "true", "utterance_end_ms": "1000"}
    options = {**described(beckett()), **wanted, "endpointing": "300", "punctuate": "true"}
    async with listening(transcriber, options) as socket:
        await socket.send(beckett().part(0, 1.2))
        messages = await socket.events_until("Results")
        assert not messages[-1]["is_final"]
        await socket.send(beckett().part(1.2, 10), [3_200])
        await socket.control("CloseStream")
        messages += await socket.events_until_close()
    kinds = [message["type"] for message in messages]
    assert kinds[0] == "SpeechStarted"
    assert kinds.count("SpeechStarted") == len(finals(messages)) == 6
    assert kinds[-2:] == ["UtteranceEnd", "Metadata"]
    assert word_error_rate(BECKETT, transcript(messages)) < 0.3


@pytest.mark.parametrize("kind", ["WebM/Opus", "Ogg/Opus", "MP3", "FLAC", "ADTS"])
@pytest.mark.parametrize("path", ["/v1/listen", "/v2/listen"])
async def test_containers_without_an_encoding(standin: Server, kind: str, path: str) -> None:
    """As browsers send them; the utterances end by the length of what was decoded."""
    options = {"utterance_end_ms": "1000", "vad_events": "true", "model": "flux-general-en"}
    async with listening(standin, options, path=path) as socket:
        await socket.send(speech(kind), [3, 1_500])
        await socket.control("CloseStream")
        found = await socket.events_until_close()
    assert socket.closed[0] == 1000
    kinds = [message["type"] for message in found]
    if path == "/v2/listen":
        assert [each.get("event") for each in found].count("EndOfTurn") == 6
        return
    assert len(finals(found)) == kinds.count("SpeechStarted") == 6
    assert kinds[-2:] == ["UtteranceEnd", "Metadata"]
    assert found[-1]["duration"] == pytest.approx(beckett().seconds, abs=0.15)


@pytest.mark.parametrize("kind", ["wav", "mulaw", "mixed"])
async def test_other_formats(transcriber: Server, kind: str) -> None:
    if kind == "wav":
        async with listening(transcriber, {}) as socket:
            await socket.send(wav_file(), [11, 4_000])
            await socket.control("CloseStream")
            found = await socket.events_until_close()
        assert word_error_rate(BECKETT, transcript(found)) < 0.3
        assert transcript(found) == transcript(found).lower()
    elif kind == "mulaw":
        audio = two_cities_by_telephone()
        audio = Audio(audio.part(0, 10), 8_000, 1, 8, encoding="mulaw")
        assert "best of times" in transcript(await listened(transcriber, audio, {}))
    else:
        found = await listened(transcriber, stereo(), {"punctuate": "true"})
        assert {message["channel_index"][1] for message in finals(found)} == {1}
        assert found[-1]["channels"] == 1
        assert "Ever" in transcript(found)


async def test_a_finalize_is_answered_at_once_and_always(standin: Server) -> None:
    async with listening(standin, {**described(beckett()), "vad_events": "true"}) as socket:
        await socket.control("Finalize")
        (nothing,) = await socket.events_until("Results")
        assert (nothing["from_finalize"], said(nothing)["transcript"]) == (True, "")
        await socket.send(beckett().part(0, 1.0))
        await socket.events_until("SpeechStarted")
        await socket.control("Finalize", channel=0)
        (spoken,) = await socket.events_until("Results")
        assert spoken["from_finalize"]
        assert spoken["start"] + spoken["duration"] == pytest.approx(1.0)
        await socket.control("CloseStream")
        assert [message["type"] for message in await socket.events_until_close()] == ["Metadata"]


async def test_garbage_changes_nothing(standin: Server) -> None:
    """Neither for the client itself nor for its neighbour."""
    garbage: list[str | bytes] = [
        *("", "{", "[]", "null", '"KeepAlive"', '{"type": 1}', '{"type": "Unknown"}', "{" * 9_000),
        *(b"", '{"type": null, "channel": -1}', '{"type": "Finalize", "channel": "x"}', "\ud7ff"),
    ]
    async with asyncio.TaskGroup() as tasks:
        neighbour = tasks.create_task(listened(standin, beckett(), {}, [6_400]))
        async with listening(standin, described(beckett())) as socket:
            for frame in garbage:
                await socket.connection.send(frame)
                await socket.send(beckett().part(0, 0.5))
            await socket.control("CloseStream")
            found = await socket.events_until_close()
    assert found[-1]["duration"] == 0.5 * len(garbage)
    assert [message["from_finalize"] for message in finals(found)].count(True) == 1
    assert len(finals(neighbour.result())) == 6


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"OggS\0\2" + bytes(2_000), "DATA-0000: the OGG file"),
        (b"FORM\0\0\0\0AIFF" + bytes(2_000), "DATA-0000: the audio is in AIFF format; allowed"),
        (b"\1\2" * 9_000, "DATA-0000: 'encoding' is missing"),
    ],
)
async def test_audio_that_cannot_be_read_closes_the_socket(
    standin: Server, data: bytes, reason: str
) -> None:
    async with listening(standin, {}) as socket:
        await socket.send(data, [1_000])
        with contextlib.suppress(ConnectionClosed):
            await socket.control("CloseStream")
        assert await socket.events_until_close() == []
    code, text = socket.closed
    assert code == 1008
    assert (text or "").startswith(reason)


async def refusal(
    server: Server, credential: str, **options: str
) -> tuple[int, dict[str, str], dict[str, Any]]:
    with pytest.raises(InvalidStatus) as refused:
        async with listening(server, options, headers={"Authorization": f"Token {credential}"}):
            pass
    response = refused.value.response
    headers = {name.lower(): value for name, value in response.headers.raw_items()}
    return response.status_code, headers, json.loads(response.body or b"")


async def test_who_is_refused_and_how(launch: Launch) -> None:
    """By 503 for want of room, because clients give up for ever at 4xx; by 401 and by 400."""
    guarded = {"model": {"type": "standin"}, "access": {"tokens": [TOKEN]}}
    server = launch(guarded)
    raw, as_token = {"encoding": "linear16"}, {"Authorization": f"Token {TOKEN}"}
    browser = ("token", TOKEN, "x-deepgram-session-id", "1")
    for opened in (
        listening(server, raw, headers=as_token),
        listening(server, raw, headers={"Authorization": f"bearer {TOKEN}"}),
        listening(server, raw, subprotocols=browser),
        listening(server, raw, subprotocols=("bearer", TOKEN)),
        listening(server, {**raw, "token": TOKEN}),
    ):
        async with opened as socket:
            assert socket.connection.subprotocol in (None, "token", "bearer")
            await socket.control("CloseStream")
            assert [message["type"] for message in await socket.events_until_close()] == [
                "Metadata"
            ]
    status, headers, body = await refusal(server, "wrong")
    assert (status, body["err_code"]) == (401, "INVALID_AUTH")
    assert headers["dg-request-id"] == body["request_id"]
    assert headers["dg-error"] == body["err_msg"]
    status, _, body = await refusal(server, TOKEN, encoding="opus")
    assert (status, body["err_code"]) == (400, "Bad Request")
    assert body["err_msg"].startswith("'encoding' is \"opus\"; allowed: linear16")
    small = launch({**guarded, "limits": {"max_sessions": 1, "idle_seconds": 0.5}})
    async with listening(small, raw, headers=as_token) as socket:
        status, headers, body = await refusal(small, TOKEN)
        assert (status, body["err_code"]) == (503, "SERVICE_UNAVAILABLE")
        assert int(headers["retry-after"]) > 0
        assert [message["type"] for message in await socket.events_until_close()] == ["Metadata"]
    code, reason = socket.closed  # nothing was sent for too long
    assert code == 1011
    assert (reason or "").startswith("NET-0001")


async def test_the_server_ends_in_mid_utterance(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}, "limits": {"drain_seconds": 8}})
    async with listening(server, {**described(beckett()), "vad_events": "true"}) as socket:
        await socket.send(beckett().part(0, 1.0))
        await socket.events_until("SpeechStarted")
        server.send_signal(signal.SIGTERM)
        found = await socket.events_until_close()
    assert [message["type"] for message in found] == ["Results", "Metadata"]
    assert said(found[0])["transcript"]
    assert found[1]["duration"] == 1.0
    assert socket.closed == (1012, "the server is shutting down")


async def test_workers_die_and_clients_vanish(launch: Launch) -> None:
    """A killed worker's segment is done by another; a client that is gone leaves nothing."""
    model = {"type": "standin", "options": {"delay": 1, "busy": True}}
    server = launch({"model": model, "inference": {"workers": 1}})
    (worker,) = server.workers()
    spent_s = cpu_s(worker)
    async with listening(server, {**described(beckett()), "vad_events": "true"}) as gone:
        await gone.send(beckett().part(0, 1.0))
        await gone.events_until("SpeechStarted")
        gone.connection.transport.abort()
    async with listening(server, described(beckett())) as socket:
        await socket.send(beckett().part(0, 3.0))
        await asyncio.to_thread(
            wait_until, lambda: cpu_s(worker) > spent_s + 0.3, "the worker is busy"
        )
        worker.kill()
        await socket.control("CloseStream")
        found = await socket.events_until_close()
    assert [message["type"] for message in found] == ["Results", "Results", "Metadata"]
    assert all(said(message)["transcript"] for message in finals(found))
    await asyncio.to_thread(
        wait_until, lambda: "stream broken off" in server.log(), "its stream is given up"
    )


async def test_an_inference_that_fails_ends_the_turn(launch: Launch) -> None:
    server = launch({"model": {"type": "standin", "options": {"failure_rate": 1.0}}})
    found = await listened(server, beckett(), {})
    assert len(finals(found)) == 6
    assert all(result["speech_final"] and not said(result)["words"] for result in finals(found))
