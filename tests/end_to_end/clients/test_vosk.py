"""The protocol of vosk-server: the same words as our own, one reply to each request."""

import asyncio
import signal
import sys
import urllib.error
import urllib.request

import pytest
from websockets.exceptions import InvalidStatus

from streamer.http.spoken_words import bare, plain
from streamer.weights.manifest import require
from tests.end_to_end.clients.programs import KEY, python_program, run
from tests.end_to_end.clients.vosk_socket import EOF, RESET, pieces, recognizer, text_of
from tests.end_to_end.conftest import Launch
from tools.harness.json_socket import Event
from tools.harness.ports import free_port
from tools.harness.process import Server, cpu_s, wait_until
from tools.harness.sounds import Audio, beckett, silence
from tools.harness.streams import events_of, stream_audio, transcript

RECORDING = require("moonshine-tiny-en") / "beckett.wav"


def test_a_program_that_waits_for_each_reply(transcriber: Server) -> None:
    program = python_program(sys.executable, "vosk_file.py")
    replies = run(program, transcriber, RECORDING, "max_alternatives=1", "words=0")
    assert len(replies) == len(pieces(beckett().data)) + 1
    finals = [reply["alternatives"][0] for reply in replies if "alternatives" in reply]
    assert all(0 < final["confidence"] <= 1 for final in finals if final["text"])
    events = asyncio.run(stream_audio(transcriber, beckett()))
    assert " ".join(final["text"] for final in finals).strip() == plain(transcript(events))


async def test_the_same_words_as_our_own_protocol(transcriber: Server) -> None:
    """With their times, and with interims in between."""
    events = await stream_audio(transcriber, beckett(), words=True)
    async with recognizer(transcriber) as client:
        await client.config(phrase_list=["[unk]"])
        replies = [await client.ask(piece) for piece in pieces(beckett().data)]
        replies.append(await client.ask(EOF))
        assert await client.events_until_close() == []
        assert client.closed == (1000, "")
    assert text_of(replies) == plain(transcript(events))
    words = [word for reply in replies for word in reply.get("result", [])]
    assert [(word["word"], word["start"], word["end"]) for word in words] == [
        (bare(word["text"]), word["start_time"], word["end_time"])
        for segment in events_of(events, "segment")
        for word in segment["words"]
    ]
    assert {word["conf"] for word in words} <= {
        word["confidence"] for segment in events_of(events, "segment") for word in segment["words"]
    }


async def test_a_client_that_sends_ahead_gets_as_many_replies(standin: Server) -> None:
    frames: list[str | bytes] = []
    for number, piece in enumerate(pieces(beckett().data)):
        frames += [
            piece,
            *([RESET] if number % 7 == 3 else []),
            *([b""] if number % 9 == 0 else []),
        ]
    async with recognizer(standin) as client:
        for frame in (*frames, EOF):
            await client.connection.send(frame)
        replies = await client.events_until_close()
    assert len(replies) == len(frames) + 1
    resets = [number for number, frame in enumerate(frames) if frame == RESET]
    assert all("text" in replies[number] for number in resets)


async def test_a_reset_ends_the_segment(standin: Server) -> None:
    async with recognizer(standin) as client:
        assert await client.ask(RESET) == {"text": ""}
        assert await client.ask(b"") == {"partial": ""}
        for piece in pieces(beckett().part(0, 1.0)):
            assert "partial" in await client.ask(piece)
        assert (await client.ask(RESET))["text"]
        assert await client.ask(silence(0.2).data) == {"partial": ""}
        assert await client.ask(EOF) == {"text": ""}


@pytest.mark.parametrize("size", [333, 1_601, 33_333])
async def test_the_words_are_the_same_however_the_audio_is_cut(
    transcriber: Server, size: int
) -> None:
    """Also within a sample. A client that waits for each reply may not be kept waiting."""
    events = await stream_audio(transcriber, beckett())
    async with recognizer(transcriber) as client:
        replies = [await client.ask(piece) for piece in pieces(beckett().data, size)]
        replies.append(await client.ask(EOF))
    assert text_of(replies) == plain(transcript(events))


async def test_garbage_changes_nothing(standin: Server) -> None:
    """And has no reply; a neighbour gets all of its results."""
    garbage = ["", "{", "[]", "null", '"eof"', '{"config": 1}', "{" * 9_000, '{"partial": ""}']
    async with asyncio.TaskGroup() as tasks:
        neighbour = tasks.create_task(recognized(standin))
        async with recognizer(standin) as client:
            for text in garbage:
                await client.connection.send(text)
                assert "partial" in await client.ask(beckett().part(0, 0.1))
            assert "text" in await client.ask(EOF)
    assert text_of(neighbour.result()) == text_of(await recognized(standin))


async def recognized(server: Server) -> list[Event]:
    """The replies to a whole recording that have a text."""
    async with recognizer(server) as client:
        replies = [await client.ask(piece) for piece in pieces(beckett().data)]
        replies.append(await client.ask(EOF))
    return [reply for reply in replies if reply.get("text")]


async def test_a_sample_rate_that_cannot_be_right_closes_the_socket(standin: Server) -> None:
    async with recognizer(standin, sample_rate=7) as client:
        assert await client.events_until_close() == []
    code, reason = client.closed
    assert code == 1008
    assert (reason or "").startswith("'sample_rate' is 7; allowed: a whole number from ")


async def test_who_is_refused(launch: Launch) -> None:
    guarded = {"model": {"type": "standin"}, "access": {"tokens": [KEY]}}
    server = launch({**guarded, "limits": {"max_sessions": 1}})

    async def status(path: str) -> int:
        with pytest.raises(InvalidStatus) as refused:
            async with recognizer(server, path):
                pass
        return refused.value.response.status_code

    assert await status("/vosk") == await status("/vosk?token=wrong") == 401
    async with recognizer(server, f"/vosk?token={KEY}") as client:
        assert await client.ask(b"\0\0") == {"partial": ""}
        assert await status(f"/vosk?token={KEY}") == 503


async def test_the_server_ends_in_mid_utterance(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}, "limits": {"drain_seconds": 8}})
    async with recognizer(server) as client:
        for piece in pieces(beckett().part(0, 1.0)):
            await client.ask(piece)
        server.send_signal(signal.SIGTERM)
        (last_reply,) = await client.events_until_close()
    assert last_reply["text"]
    assert client.closed == (1012, "the server is shutting down")


async def test_workers_die_and_clients_vanish(launch: Launch) -> None:
    """A killed worker's segment is done by another; a client that is gone leaves nothing."""
    model = {"type": "standin", "options": {"delay": 1, "busy": True}}
    server = launch({"model": model, "inference": {"workers": 1}})
    (worker,) = server.workers()
    async with recognizer(server) as gone:
        await gone.ask(beckett().part(0, 1.0))
        gone.connection.transport.abort()
    await asyncio.to_thread(
        wait_until, lambda: "stream broken off" in server.log(), "its stream is given up"
    )
    spent_s = cpu_s(worker)
    async with recognizer(server) as client:
        await client.ask(beckett().part(0, 3.0))
        await asyncio.to_thread(
            wait_until, lambda: cpu_s(worker) > spent_s + 0.3, "the worker is busy"
        )
        worker.kill()
        assert len((await client.ask(EOF))["text"].split()) > 1


async def test_an_inference_that_fails_has_no_text(launch: Launch) -> None:
    server = launch({"model": {"type": "standin", "options": {"failure_rate": 1.0}}})
    audio = Audio(beckett().part(0, 3.0))
    async with recognizer(server) as client:
        replies = [await client.ask(piece) for piece in pieces(audio.data)]
        assert replies == [{"partial": ""}] * len(replies)
        assert await client.ask(EOF) == {"text": ""}


async def test_a_port_where_every_path_is_right(launch: Launch) -> None:
    port = free_port()
    server = launch({"model": {"type": "standin"}, "vosk": {"port": port}})
    for path in ("", "/", "/api/v1/info", "/vosk"):
        async with recognizer(port, path) as client:
            assert await client.ask(b"\0\0") == {"partial": ""}
            assert await client.ask(EOF) == {"text": ""}
    assert f"vosk-server's protocol on ws://127.0.0.1:{port}" in server.log()
    assert server.get("/health").status == 200
    with pytest.raises(urllib.error.HTTPError) as refused:
        await asyncio.to_thread(urllib.request.urlopen, f"http://127.0.0.1:{port}/health")
    with refused.value:
        assert refused.value.code == 426
