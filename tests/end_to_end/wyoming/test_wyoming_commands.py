"""Wyoming: the same words as our own protocol, and what happens when things go wrong."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.end_to_end.conftest import Launch
from tests.end_to_end.wyoming.wyoming_socket import (
    Connection,
    Event,
    connected,
    kinds,
    port_of,
    transcripts,
    with_port,
    without_voice,
)
from tools.harness.process import LOG_DEFECTS, Server, cpu_s, wait_until
from tools.harness.sounds import Audio, beckett, encode, recording, silence
from tools.harness.streams import events_of, stream_audio, transcript

ANSWER = ["transcript-start", "transcript-chunk", "transcript", "transcript-stop"]


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the stand-in model."""
    folder: Path = tmp_path_factory.mktemp("wyoming")
    server = Server(folder, with_port({"model": {"type": "standin"}}))
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()
    unwanted = LOG_DEFECTS.search(server.log())
    assert unwanted is None, server.log()


async def said(connection: Connection, audio: Audio) -> str:
    await connection.command(audio)
    (text,) = transcripts(await connection.until("transcript-stop"))
    return text


async def test_the_same_words_as_our_own_protocol(launch: Launch) -> None:
    """However the audio is cut, and in other formats."""
    server = launch(with_port({}))
    expected = transcript(await stream_audio(server, beckett()))
    samples, rate = recording("beckett.wav")
    stereo = encode(np.stack([samples, samples], axis=1), rate)
    async with connected(server) as connection:
        for audio, sizes in (
            (beckett(), [1, 2_001, 7, 640, 33_333]),
            (stereo, [1_001]),
            (encode(samples, rate, 24), [5_000]),
        ):
            await connection.send("transcribe", {"language": "en"})
            await connection.command(audio, sizes)
            found = await connection.until("transcript-stop")
            assert transcripts(found) == [expected]
            chunks = [event.data["text"] for event in found if event.type == "transcript-chunk"]
            assert "".join(chunks) == expected
            heard = [event for event in found if event.type.startswith("voice-")]
            assert kinds(heard) == ["voice-started", "voice-stopped"] * len(chunks)
            times_ms = [event.data["timestamp"] for event in heard]
            assert times_ms == sorted(times_ms)


async def test_commands_follow_each_other_on_a_connection(patient: Server) -> None:
    async with connected(patient) as connection:
        first = await said(connection, beckett())
        assert first
        assert await said(connection, silence(1)) == ""
        await connection.send("audio-stop")
        assert transcripts(await connection.until("transcript-stop")) == [""]
        await connection.send("describe")
        assert kinds(await connection.until("info")) == ["info"]
        assert await said(connection, beckett()) == first


async def test_a_client_may_close_its_direction_behind_the_command(patient: Server) -> None:
    """As a program does that sends a file, and then reads to the end."""
    async with connected(patient) as connection:
        await connection.command(beckett())
        connection.writer.write_eof()
        found = without_voice(await connection.until_close())
    assert kinds(found) == [ANSWER[0], *[ANSWER[1]] * (len(found) - 3), *ANSWER[2:]]
    assert transcripts(found)[0]


async def test_the_server_ends_a_command(launch: Launch) -> None:
    model = {"type": "standin"}
    server = launch(with_port({"model": model}, ends_commands=True))
    segments = events_of(await stream_audio(server, beckett()), "segment")
    async with connected(server) as connection:
        await connection.start(beckett())
        await connection.chunks(beckett())
        found = without_voice(await connection.until("transcript-stop"))
        assert kinds(found) == ANSWER
        assert found[2].data["text"]
        await connection.chunks(beckett())
        await connection.send("audio-stop")
        assert await said(connection, silence(40)) == ""
    assert len(segments) == 6


async def test_a_full_server_says_so_and_can_be_described(launch: Launch) -> None:
    limits = {"max_sessions": 1, "idle_seconds": 1.0}
    server = launch(with_port({"model": {"type": "standin"}, "limits": limits}))
    async with connected(server) as first:
        await first.start(beckett())
        await wait_for(lambda: 'dialect="wyoming",route="segmented"} 1.0' in metrics(server))
        async with connected(server) as second:
            await second.send("describe")
            assert kinds(await second.until("info")) == ["info"]
            await second.send("transcribe")
            (refusal,) = await second.until_close()
        assert refusal.type == "error"
        assert refusal.data["code"] == "overloaded"
        assert refusal.data["text"].startswith("all places are taken: limits.max_sessions is 1")
        (idle,) = await first.until_close()
    assert idle.data["code"] == "idle_timeout"
    async with connected(server) as third:
        assert await said(third, beckett())
        assert await third.until_close() == []


def metrics(server: Server) -> str:
    return server.get("/metrics").text


async def wait_for(condition: object) -> None:
    await asyncio.to_thread(wait_until, condition, "the condition")  # type: ignore[arg-type]


GARBAGE = [
    (b"GET / HTTP/1.1\r\n\r\n", "bad_message"),
    (b"\x16\x03\x01\x02\x00\n", "bad_message"),
    (b"\xff" * 300_000, "too_large"),
    (b'{"type": "audio-chunk", "payload_length": 99999999}\n', "too_large"),
    (b'{"type": "audio-start", "data": {"rate": 1, "width": 2, "channels": 1}}\n', "bad_format"),
    (b'{"type": "audio-start"}\n', "bad_format"),
    (b'{"type": "audio-chunk", "data": {"rate": 16000}, "payload_length": 4}\n1234', "bad_format"),
]


@pytest.mark.parametrize("within", [False, True])
async def test_garbage_ends_its_connection_and_no_other(patient: Server, within: bool) -> None:
    async with asyncio.TaskGroup() as tasks:
        neighbour = tasks.create_task(alone(patient))
        for garbage, code in GARBAGE:
            async with connected(patient) as connection:
                if within:
                    await connection.start(beckett())
                    await connection.chunks(beckett(), beckett().part(0, 0.5))
                connection.writer.write(garbage)
                *_, error = await connection.until_close()
                assert (error.type, error.data["code"]) == ("error", code), garbage
    assert neighbour.result()


async def alone(server: Server) -> str:
    async with connected(server) as connection:
        return await said(connection, beckett())


async def test_the_server_ends_in_mid_utterance(launch: Launch) -> None:
    config = {"model": {"type": "standin"}, "limits": {"drain_seconds": 8}}
    server = launch(with_port(config))
    async with connected(server) as connection, connected(server) as waiting:
        await waiting.send("ping", {"text": "hi"})
        await waiting.until("pong")
        await connection.start(beckett())
        await connection.chunks(beckett(), beckett().part(0, 1.0))
        await connection.until("voice-started")
        server.send_signal(signal.SIGTERM)
        found = without_voice(await connection.until_close())
        assert kinds(found) == ANSWER
        assert transcripts(found)[0]
        assert await waiting.until_close() == []


async def test_workers_die_and_clients_vanish(launch: Launch) -> None:
    """A killed worker's segment is done by another; a client that is gone leaves nothing."""
    model = {"type": "standin", "options": {"delay": 1, "busy": True}}
    server = launch(with_port({"model": model, "inference": {"workers": 1}}))
    (worker,) = server.workers()
    spent_s = cpu_s(worker)
    async with connected(server) as gone:
        await gone.start(beckett())
        await gone.chunks(beckett(), beckett().part(0, 1.0))
        await wait_for(lambda: 'dialect="wyoming",route="segmented"} 1.0' in metrics(server))
        gone.abort()
    async with connected(server) as connection:
        await connection.start(beckett())
        await connection.chunks(beckett(), beckett().part(0, 3.0))
        await wait_for(lambda: cpu_s(worker) > spent_s + 0.3)
        worker.kill()
        await connection.send("audio-stop")
        found = await connection.until("transcript-stop")
    assert kinds(found).count("transcript-chunk") == 2
    await wait_for(lambda: "stream broken off" in server.log())


async def test_an_inference_that_fails_is_an_error(launch: Launch) -> None:
    """A command of which a part is missing could mean something else."""
    model = {"type": "standin", "options": {"failure_rate": 1.0}}
    server = launch(with_port({"model": model}))
    async with connected(server) as connection:
        await connection.command(beckett())
        (error,) = without_voice(await connection.until_close())
    assert isinstance(error, Event)
    assert error.data["code"] == "inference_failed"


async def test_tokens_do_not_count(launch: Launch) -> None:
    """The protocol has none; the log says what that means where others can reach the port."""
    config = {"model": {"type": "standin"}, "access": {"tokens": ["correct-horse"]}}
    server = launch(with_port(config, host="0.0.0.0"))
    assert port_of(server)
    assert "access.tokens do not count there" in server.log()
    async with connected(server) as connection:
        assert await said(connection, beckett())


def test_many_clients_can_connect_at_once(patient: Server) -> None:
    """As many as at the port of HTTP: the kernel keeps them until the server takes them."""
    port = port_of(patient)
    patient.send_signal(signal.SIGSTOP)
    try:
        with contextlib.ExitStack() as clients:
            for _ in range(200):
                client = socket.create_connection(("127.0.0.1", port), timeout=10)
                clients.enter_context(client)
    finally:
        patient.send_signal(signal.SIGCONT)


def test_a_port_in_use_is_named(launch: Launch, patient: Server) -> None:
    taken = {"model": {"type": "standin"}, "wyoming": {"port": port_of(patient)}}
    server = launch(taken, ready=False)
    wait_until(lambda: server.process.poll() is not None, "the server ends")
    assert server.process.returncode == 2
    assert "see 'wyoming.host' and 'wyoming.port'" in server.log()
