"""AssemblyAI's live protocol: the same words as our own, and what happens when things go wrong."""

import asyncio
import json
import signal
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from streamer.weights.manifest import require
from tests.end_to_end.certificates import self_signed
from tests.end_to_end.clients.assemblyai_socket import ended, session, streamed, transcript
from tests.end_to_end.clients.programs import KEY, node_program, python, python_program, run
from tests.end_to_end.conftest import Launch
from tests.end_to_end.streams.containers import speech
from tools.harness.process import Server, cpu_s, wait_until
from tools.harness.sounds import Audio, beckett, two_cities_by_telephone
from tools.harness.streams import events_of, stream_audio
from tools.harness.streams import transcript as our_transcript

RECORDING = require("moonshine-tiny-en") / "beckett.wav"
TOKEN = "correct-horse"
RAW = {"sample_rate": "16000"}


async def test_the_package_as_it_comes(transcriber: Server) -> None:
    program = python_program(python("assemblyai", "assemblyai"), "assemblyai_live.py")
    messages = run(program, transcriber, RECORDING, "format_turns=True", "session_heartbeat=True")
    kinds = [message["type"] for message in messages]
    assert (kinds[0], kinds[-1]) == ("Begin", "Termination")
    assert {"SpeechStarted", "Turn"} <= set(kinds)
    assert transcript(messages) == our_transcript(await stream_audio(transcriber, beckett()))
    assert messages[-1]["audio_duration_seconds"] == round(beckett().seconds)


async def test_the_package_for_javascript(
    transcriber: Server, launch: Launch, tmp_path: Path
) -> None:
    """With a key, and with a token that the key has bought; over TLS, on which it insists."""
    certificate, key = self_signed(tmp_path)
    tls = {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}
    server = launch({"server": tls, "access": {"tokens": [KEY]}})
    program = node_program("assemblyai_live.cjs")
    messages = run(program, server, RECORDING, certificate=certificate)
    kinds = [message["type"] for message in messages]
    assert {*kinds} == {"Begin", "SpeechStarted", "Turn"}
    second = kinds.index("Begin", 1)
    said = our_transcript(await stream_audio(transcriber, beckett()))
    assert [transcript(messages[:second]), transcript(messages[second:])] == [said, said]


async def test_the_same_words_as_our_own_protocol(transcriber: Server) -> None:
    """However the audio is cut, and with its own times."""
    events = await stream_audio(transcriber, beckett(), words=True)
    segments = events_of(events, "segment")
    turns = ended(await streamed(transcriber, beckett(), [1, 2_001, 7, 640, 33_333]))
    assert [turn["transcript"] for turn in turns] == [segment["text"] for segment in segments]
    assert [turn["turn_order"] for turn in turns] == [*range(len(turns))]
    for turn, segment in zip(turns, segments, strict=True):
        assert [(word["text"], word["start"], word["end"]) for word in turn["words"]] == [
            (word["text"], round(word["start_time"] * 1000), round(word["end_time"] * 1000))
            for word in segment["words"]
        ]


async def test_telephone_audio_in_lower_case(transcriber: Server) -> None:
    audio = two_cities_by_telephone()
    audio = Audio(audio.part(0, 10), 8_000, 1, 8, encoding="mulaw")
    found = await streamed(transcriber, audio, format_turns="False")
    assert "best of times" in transcript(found)
    assert transcript(found) == transcript(found).lower()
    assert not any(turn["turn_is_formatted"] for turn in ended(found))


@pytest.mark.parametrize(("kind", "encoding"), [("Ogg/Opus", "ogg_opus"), ("ADTS", "aac")])
async def test_audio_in_a_container(standin: Server, kind: str, encoding: str) -> None:
    async with session(standin, {"encoding": encoding}) as socket:
        await socket.send(speech(kind), [3, 1_500])
        await socket.control("Terminate")
        found = await socket.until_close()
    assert socket.closed == (1000, "")
    assert len(ended(found)) == 6
    assert found[-1]["audio_duration_seconds"] == round(beckett().seconds)
    async with session(standin, {"encoding": encoding}) as socket:
        await socket.send(bytes(range(256)) * 80)
        *_, error = await socket.until_close()
    assert error["type"] == "Error"
    assert "in no container that is known" in error["error"]
    assert error["error_code"] == socket.closed[0] == 3006


async def test_a_turn_grows_and_is_ended_by_force(standin: Server) -> None:
    async with session(standin, RAW) as socket:
        await socket.until("Begin")
        await socket.control("ForceEndpoint")  # nothing is open: there is no answer
        await socket.send(beckett().part(0, 1.0))
        await socket.until("SpeechStarted")
        terms = ["Жизнь" * 10] * 100  # as many as AssemblyAI allows, in JSON of ASCII
        await socket.control("UpdateConfiguration", min_turn_silence=700, keyterms_prompt=terms)
        await socket.control("ForceEndpoint")
        *_, turn = await socket.until("Turn")
        while not turn["end_of_turn"]:
            *_, turn = await socket.until("Turn")
        assert turn["turn_order"] == 0
        await socket.control("Terminate")
        assert [message["type"] for message in await socket.until_close()] == ["Termination"]


async def test_garbage_changes_nothing(standin: Server) -> None:
    """Neither for the client itself nor for its neighbour."""
    garbage: list[str | bytes] = [
        *("", "{", "[]", "null", '"KeepAlive"', '{"type": 1}', '{"type": "Unknown"}', "{" * 9_000),
        *(b"", '{"type": null}', '{"type": "UpdateConfiguration", "vad_threshold": {}}', "\ud7ff"),
    ]
    async with asyncio.TaskGroup() as tasks:
        neighbour = tasks.create_task(streamed(standin, beckett(), [6_400]))
        async with session(standin, RAW) as socket:
            for frame in garbage:
                await socket.connection.send(frame)
                await socket.send(beckett().part(0, 0.5))
            await socket.control("Terminate")
            found = await socket.until_close()
    assert found[-1]["audio_duration_seconds"] == 0.5 * len(garbage)
    assert len(ended(neighbour.result())) == 6


async def test_who_is_refused_and_how(launch: Launch) -> None:
    server = launch(
        {
            "model": {"type": "standin"},
            "access": {"tokens": [TOKEN]},
            "limits": {"max_sessions": 1},
        }
    )

    async def refusal(key: str | None, **options: str) -> tuple[int, dict[str, str], str]:
        with pytest.raises(InvalidStatus) as refused:
            async with session(server, {**RAW, **options}, key):
                pass
        response = refused.value.response
        headers = {name.lower(): value for name, value in response.headers.raw_items()}
        return response.status_code, headers, json.loads(response.body or b"")["error"]

    assert (await refusal("wrong"))[0] == (await refusal(None))[0] == 401
    status, _, message = await refusal(TOKEN, encoding="opus")
    assert status == 400
    assert message.startswith(
        "'encoding' is \"opus\"; allowed: pcm_s16le, pcm_mulaw, ogg_opus, aac"
    )
    async with session(server, RAW, TOKEN) as socket:
        await socket.until("Begin")
        status, headers, _ = await refusal(TOKEN)
        assert status == 503
        assert int(headers["retry-after"]) > 0
    await asyncio.to_thread(check_bought_token, server)


def ask(server: Server, query: str, key: str | None, **headers: str) -> tuple[int, dict[str, Any]]:
    """Ask for a token; returns the status and the body."""
    if key:
        headers["Authorization"] = key
    url = f"http://127.0.0.1:{server.port}/v3/token{query}"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def check_bought_token(server: Server) -> None:
    status, body = ask(server, "?expires_in_seconds=60&max_session_duration_seconds=900", TOKEN)
    assert status == 200
    assert body["expires_in_seconds"] == 60
    bought = body["token"]
    for key in (bought, "wrong", None):
        status, body = ask(server, "?expires_in_seconds=60", key)
        assert status == 401
        assert [*body] == ["error"]
    status, body = ask(server, "?expires_in_seconds=60", TOKEN, Origin="https://evil.example")
    assert (status, [*body]) == (403, ["error"])
    for query in ("", "?expires_in_seconds=0", "?expires_in_seconds=601"):
        status, body = ask(server, query, TOKEN)
        assert status == 400
        assert body["error"].startswith("'expires_in_seconds' is ")

    async def opened() -> None:
        async with session(server, {**RAW, "token": bought}) as socket:
            await socket.until("Begin")

    wait_until(lambda: sessions(server) == 0, "there is room")
    asyncio.run(opened())


def sessions(server: Server) -> float:
    lines = server.get("/metrics").text.splitlines()
    active = [line for line in lines if line.startswith("streamer_sessions_open{")]
    return sum(float(line.rpartition(" ")[2]) for line in active)


async def test_a_session_that_lasts_too_long_is_told_so(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}, "limits": {"max_session_seconds": 0.5}})
    async with session(server, RAW) as socket:
        await socket.send(beckett().part(0, 1.0))
        *_, turn, error = await socket.until_close()
    assert (turn["type"], error["type"]) == ("Turn", "Error")
    assert error["error_code"] == socket.closed[0] == 3008


async def test_the_server_ends_in_mid_utterance(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}, "limits": {"drain_seconds": 8}})
    async with session(server, RAW) as socket:
        await socket.send(beckett().part(0, 1.0))
        await socket.until("SpeechStarted")
        server.send_signal(signal.SIGTERM)
        found = await socket.until_close()
    (turn,) = ended(found)
    assert turn["transcript"]
    assert found[-1] == turn
    assert socket.closed == (1012, "the server is shutting down")


async def test_workers_die_and_clients_vanish(launch: Launch) -> None:
    """A killed worker's segment is done by another; a client that is gone leaves nothing."""
    model = {"type": "standin", "options": {"delay": 1, "busy": True}}
    server = launch({"model": model, "inference": {"workers": 1}})
    (worker,) = server.workers()
    async with session(server, RAW) as gone:
        await gone.send(beckett().part(0, 1.0))
        await gone.until("SpeechStarted")
        gone.connection.transport.abort()
    await asyncio.to_thread(wait_until, lambda: sessions(server) == 0, "its session has ended")
    spent_s = cpu_s(worker)
    async with session(server, RAW) as socket:
        await socket.send(beckett().part(0, 3.0))
        await asyncio.to_thread(
            wait_until, lambda: cpu_s(worker) > spent_s + 0.3, "the worker is busy"
        )
        worker.kill()
        await socket.control("Terminate")
        found = await socket.until_close()
    assert [bool(turn["transcript"]) for turn in ended(found)] == [True, True]
    assert found[-1]["type"] == "Termination"


async def test_an_inference_that_fails_ends_the_turn(launch: Launch) -> None:
    server = launch({"model": {"type": "standin", "options": {"failure_rate": 1.0}}})
    turns = ended(await streamed(server, beckett()))
    assert [(turn["transcript"], turn["words"]) for turn in turns] == [("", [])] * 6
