"""Flux: the same words as our own protocol, and what happens when things go wrong."""

import asyncio
import signal
from collections.abc import Iterable
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.end_to_end.clients.deepgram_socket import Message, described, listening
from tests.end_to_end.conftest import Launch
from tools.harness.process import Server, cpu_s, wait_until
from tools.harness.sounds import Audio, beckett
from tools.harness.streams import events_of, stream_audio

FLUX = "/v2/listen"
TOKEN = "correct-horse"
SENTENCES = 6


async def spoken(server: Server, audio: Audio, sizes: Iterable[int] = (65_536,)) -> list[Message]:
    """Stream audio over a new socket until the server closes it; returns all messages."""
    async with listening(server, described(audio), path=FLUX) as socket:
        await socket.send(audio.data, sizes)
        await socket.control("CloseStream")
        found = await socket.events_until_close()
    assert socket.closed == (1000, "")
    return found


def ends(messages: list[Message]) -> list[Message]:
    """The ends of all turns."""
    return [message for message in messages if message.get("event") == "EndOfTurn"]


async def test_the_same_words_as_our_own_protocol(transcriber: Server) -> None:
    """However the audio is cut, and with its own times."""
    events = await stream_audio(transcriber, beckett(), words=True)
    segments = events_of(events, "segment")
    turns = ends(await spoken(transcriber, beckett(), [1, 2_001, 7, 640, 33_333]))
    assert [turn["transcript"] for turn in turns] == [segment["text"] for segment in segments]
    for turn, segment in zip(turns, segments, strict=True):
        assert [(word["word"], word["start"], word["end"]) for word in turn["words"]] == [
            (word["text"], word["start_time"], word["end_time"]) for word in segment["words"]
        ]


async def test_garbage_changes_nothing(standin: Server) -> None:
    """Neither for the client itself nor for its neighbour."""
    garbage: list[str | bytes] = [
        *("", "{", "[]", "null", '"Configure"', '{"type": 1}', '{"type": "Unknown"}', "{" * 9_000),
        *(b"", '{"type": null, "thresholds": 1}', '{"type": "Finalize"}', "\ud7ff"),
    ]
    step_s = beckett().seconds / len(garbage)
    async with asyncio.TaskGroup() as tasks:
        neighbour = tasks.create_task(spoken(standin, beckett(), [6_400]))
        async with listening(standin, described(beckett()), path=FLUX) as socket:
            for number, frame in enumerate(garbage):
                await socket.connection.send(frame)
                await socket.send(beckett().part(step_s * number, step_s * (number + 1)))
            await socket.control("CloseStream")
            found = await socket.events_until_close()
    assert {message["type"] for message in found} == {"Connected", "TurnInfo"}
    assert len(ends(found)) == len(ends(neighbour.result())) == SENTENCES


async def status(server: Server, key: str | None, **options: str) -> tuple[int, Any]:
    headers = {"Authorization": f"Token {key}"} if key else {}
    raw = {**described(beckett()), **options}
    with pytest.raises(InvalidStatus) as refused:
        async with listening(server, raw, path=FLUX, headers=headers):
            pass
    return refused.value.response.status_code, refused.value.response.headers


async def test_who_is_refused(launch: Launch) -> None:
    """By 503 for want of room, because clients give up for ever at 4xx."""
    guarded = {"model": {"type": "standin"}, "access": {"tokens": [TOKEN]}}
    server = launch({**guarded, "limits": {"max_sessions": 1}})
    assert (await status(server, "wrong"))[0] == (await status(server, None))[0] == 401
    assert (await status(server, TOKEN, language="tlh", encoding="opus"))[0] == 400
    headers = {"Authorization": f"Token {TOKEN}"}
    async with listening(server, described(beckett()), path=FLUX, headers=headers) as socket:
        assert (await socket.next_event())["type"] == "Connected"
        found, answer = await status(server, TOKEN)
        assert found == 503
        assert int(answer["Retry-After"]) > 0


async def test_the_server_ends_in_mid_utterance(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}, "limits": {"drain_seconds": 2}})
    async with listening(server, described(beckett()), path=FLUX) as socket:
        await socket.send(beckett().part(0, 1.0))
        while (await socket.next_event()).get("event") != "StartOfTurn":
            pass
        server.send_signal(signal.SIGTERM)
        found = await socket.events_until_close()
    (turn,) = ends(found)
    assert turn == found[-1]
    assert turn["transcript"]
    assert socket.closed == (1012, "the server is shutting down")


async def test_workers_die_and_clients_vanish(launch: Launch) -> None:
    """A killed worker's turn is done by another; a client that is gone leaves nothing."""
    model = {"type": "standin", "options": {"delay": 1, "busy": True}}
    server = launch({"model": model, "inference": {"workers": 1}})
    (worker,) = server.workers()
    async with listening(server, described(beckett()), path=FLUX) as gone:
        await gone.send(beckett().part(0, 1.0))
        while (await gone.next_event()).get("event") != "StartOfTurn":
            pass
        gone.connection.transport.abort()
    await asyncio.to_thread(
        wait_until, lambda: "stream broken off" in server.log(), "its stream is given up"
    )
    spent_s = cpu_s(worker)
    async with listening(server, described(beckett()), path=FLUX) as socket:
        await socket.send(beckett().part(0, 3.0))
        await asyncio.to_thread(
            wait_until, lambda: cpu_s(worker) > spent_s + 0.3, "the worker is busy"
        )
        worker.kill()
        await socket.control("CloseStream")
        found = await socket.events_until_close()
    assert [bool(turn["transcript"]) for turn in ends(found)] == [True, True]


async def test_an_inference_that_fails_ends_the_turn(launch: Launch) -> None:
    server = launch({"model": {"type": "standin", "options": {"failure_rate": 1.0}}})
    turns = ends(await spoken(server, beckett()))
    assert [(turn["transcript"], turn["words"]) for turn in turns] == [("", [])] * SENTENCES
