"""Many sessions, few workers: early finals, overload, and turns."""

import asyncio

import numpy as np
import pytest

from streamer.models.speech_frames import SpeechFrames
from streamer.weights.manifest import require
from tests.end_to_end.conftest import Launch
from tools.harness.process import Server
from tools.harness.sounds import Audio, beckett, recording, silence, two_cities
from tools.harness.streams import check_stream, client, events_of, findings, stream_audio


def counters(server: Server) -> dict[str, int]:
    found: dict[str, int] = server.get("/api/v1/info").json()["inference"]
    return found


async def paced(
    server: Server, audio: Audio, *, speed: float = 4, **start: object
) -> list[dict[str, object]]:
    """Play at four times the speed of speech, so that workers are idle in the pauses."""
    async with client(server) as socket, asyncio.TaskGroup() as tasks:
        await socket.start(audio, **start)

        async def play() -> None:
            for first in range(0, len(audio.data), 3200):
                await socket.send(audio.data[first : first + 3200])
                await asyncio.sleep(0.1 / speed)
            await socket.send_request("stop", disconnect=True)

        tasks.create_task(play())
        return await socket.events_until_close()


async def test_early_finals_change_nothing_but_the_timing(
    launch: Launch, transcriber: Server
) -> None:
    before = counters(transcriber)
    spoken = Audio(beckett().part(0, 5))
    # They begin in time for speech that comes as it is spoken.
    early = await paced(transcriber, spoken, speed=1)
    while counters(transcriber)["early_used"] == before["early_used"]:  # where others use the CPU
        early = await paced(transcriber, spoken, speed=1)

    late = launch(env={"STREAMER_INFERENCE__EARLY_FINALS": "false"})
    assert findings(await paced(late, spoken)) == findings(early)
    assert findings(await stream_audio(late, two_cities())) == findings(
        await stream_audio(transcriber, two_cities())
    )
    assert counters(late)["early_used"] == counters(late)["early_wasted"] == 0


async def test_under_overload_interims_thin_out_and_finals_do_not(launch: Launch) -> None:
    model = {"type": "standin", "options": {"delay": 0.2}}
    server = launch({"model": model, "inference": {"workers": 1}})
    async with asyncio.TaskGroup() as tasks:
        played = [
            tasks.create_task(paced(server, beckett(), interim_results=True)) for _ in range(4)
        ]
    for task in played:
        events = task.result()
        check_stream(events)
        assert len(events_of(events, "segment")) == 6
        assert [w["code"] for w in events_of(events, "warning")] == ["interim_shed"]
    assert counters(server)["interims_shed"] > 0
    after = counters(server)
    assert after["finals"] - after["early_wasted"] - after["early_shown"] == 4 * 6


async def test_a_busy_session_with_eight_channels_does_not_starve_a_small_one(
    launch: Launch,
) -> None:
    model = {"type": "standin", "options": {"delay": 0.05}}
    server = launch({"model": model, "inference": {"workers": 1}})
    eight = Audio(bytes(16 * 16_000 * 20), channels=8)
    async with client(server, "simple") as busy, client(server, "simple") as small:
        await busy.start(eight)
        await busy.send(eight.data[: len(eight.data) // 2])
        await busy.events_until("segment")
        await small.start()
        await small.send(silence(4).data)
        await small.send_request("stop", disconnect=True)
        done = [len(await small.events_until_close())]
        # 4 turns of the small session are 8 of both; the busy one has 80 and more waiting.
        assert done == [4 + 2]
        assert counters(server)["finals"] < 40
        await busy.send_request("stop", disconnect=True)
        await busy.events_until_close()


async def test_frames_of_any_chunking_are_those_of_one_pass(launch: Launch) -> None:
    settings = {"inference": {"workers": 2}, "simple": {"chunk_seconds": 0.33}}
    server = launch({"model": {"type": "frames"}, **settings})
    samples, _ = recording("beckett.wav")
    whole = SpeechFrames(require("silero-vad")).infer(samples.astype(np.float32))
    for sizes in ((65_536,), (1001, 7, 20_000)):
        events = events_of(await stream_audio(server, beckett(), "simple", sizes), "segment")
        assert len(events) > 20
        starts = [event["start_time"] + event["first_frame_offset"] for event in events]
        counts = np.cumsum([0, *(len(event["frames"]) for event in events)])[:-1]
        assert starts == pytest.approx(counts * 0.032)
        joined = [frame for event in events for frame in event["frames"]]
        # Sums of other sizes are rounded elsewhere in their last bit.
        assert joined == pytest.approx(whole["frames"], abs=1e-5)
    assert max(joined) > 0.9
    assert min(joined) < 0.1
