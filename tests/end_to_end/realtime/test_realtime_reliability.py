"""What the server owes to a client of `/v1/realtime` when something ends early."""

import asyncio
import signal

from tests.end_to_end.conftest import Launch
from tests.end_to_end.realtime.realtime_socket import (
    COMMITTED,
    COMPLETED,
    DELTA,
    FAILED,
    ended_by_silence,
    named,
    realtime,
)
from tools.harness.process import TIMEOUT_S, Server, wait_until
from tools.harness.sounds import Audio, beckett


async def test_a_server_that_ends_sends_what_it_owes(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}, "limits": {"drain_seconds": 8}})
    audio = Audio(beckett().part(0, 1.0))  # in the middle of a sentence
    async with realtime(server) as turns, realtime(server) as manual:
        await turns.use(audio)
        await manual.use(audio, turn_detection=None)
        for socket in (turns, manual):
            await socket.append(audio.data)
        await turns.events_until("input_audio_buffer.speech_started")
        await manual.request("input_audio_buffer.commit")
        server.send_signal(signal.SIGTERM)
        owed = [await socket.events_until_close() for socket in (turns, manual)]
    for socket, events in zip((turns, manual), owed, strict=True):
        assert named(events, "error") == []
        assert len(named(events, COMMITTED)) == len(named(events, COMPLETED)) == 1
        assert socket.connection.close_code == 1012
    assert server.process.wait(TIMEOUT_S) == 0


async def test_a_server_that_ends_commits_for_the_client(launch: Launch) -> None:
    """Its next session, with another server, does not have this audio."""
    server = launch({"model": {"type": "standin"}, "limits": {"drain_seconds": 8}})
    async with realtime(server) as socket:
        await socket.use(beckett(), turn_detection=None)
        await socket.append(beckett().part(0, 3.0))
        await socket.events_until(DELTA)
        server.send_signal(signal.SIGTERM)
        events = await socket.events_until_close()
    (committed,) = named(events, COMMITTED)
    (completed,) = named(events, COMPLETED)
    assert committed["item_id"] == completed["item_id"]
    assert len(completed["transcript"].split()) == 2
    assert completed["usage"]["seconds"] == 3.0
    assert socket.connection.close_code == 1012


async def test_a_worker_that_is_killed_costs_nothing(launch: Launch) -> None:
    model = {"type": "standin", "options": {"delay": 0.3}}
    server = launch({"model": model, "inference": {"workers": 1}})
    audio = ended_by_silence(beckett())
    async with realtime(server) as socket:
        await socket.use(audio, transcription={"model": "whisper-1"})
        await socket.append(audio.data)
        await socket.events_until(COMMITTED)
        (worker,) = server.workers()
        worker.kill()
        events = await socket.events_until(COMPLETED, 6)
    assert named(events, FAILED, "error") == []


async def test_an_item_without_a_transcript_is_said_to_have_none(launch: Launch) -> None:
    server = launch({"model": {"type": "standin", "options": {"failure_rate": 1}}})
    audio = ended_by_silence(beckett())
    async with realtime(server) as turns, realtime(server) as manual:
        await turns.use(audio)
        await turns.append(audio.data)
        failed = named(await turns.events_until(FAILED, 6), FAILED)
        await manual.use(audio, turn_detection=None)
        await manual.append(audio.data)
        await manual.request("input_audio_buffer.commit")
        failed += named(await manual.events_until(FAILED, 6), FAILED)
    for event in failed:
        assert event["error"]["type"] == "server_error"
        assert event["error"]["code"] == "inference_failed"


async def test_a_client_that_vanishes_leaves_nothing(standin: Server) -> None:
    audio = beckett()

    def sessions() -> float:
        lines = standin.get("/metrics").text.splitlines()
        active = [line for line in lines if line.startswith("streamer_sessions_open{")]
        return sum(float(line.rpartition(" ")[2]) for line in active)

    for _ in range(2):
        await asyncio.to_thread(wait_until, lambda: sessions() == 0, "there is no session")
        async with realtime(standin) as socket:
            await socket.use(audio)
            await socket.append(audio.part(0, 1.0))
            await socket.events_until("input_audio_buffer.speech_started")
            assert await asyncio.to_thread(sessions) == 1
            socket.connection.transport.abort()
    await asyncio.to_thread(wait_until, lambda: sessions() == 0, "the session has ended")
