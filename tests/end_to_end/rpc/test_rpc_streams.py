"""Streams over gRPC: the same events as on the WebSocket."""

import asyncio
import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamer.weights.manifest import require
from tests.end_to_end.rpc.rpc_call import CHUNKS, RpcClient, rpc_client, stream_rpc
from tools.harness.json_socket import Event, pieces
from tools.harness.process import Server
from tools.harness.sounds import (
    TWO_CITIES,
    Audio,
    beckett,
    two_cities,
    two_cities_by_telephone,
    word_error_rate,
)
from tools.harness.streams import (
    check_stream,
    client,
    events_of,
    findings,
    stream_audio,
    transcript,
)

IDS = ("session_id", "trace_id")


def without_ids(event: Event) -> Event:
    return {name: value for name, value in event.items() if name not in IDS}


@pytest.mark.parametrize("audio", [two_cities(), two_cities_by_telephone()])
async def test_the_same_words_as_on_the_websocket(rpc_transcriber: Server, audio: Audio) -> None:
    there = await stream_audio(rpc_transcriber, audio, words=True)
    here = await stream_rpc(rpc_transcriber, audio, sizes=(6_400,), words=True)
    assert findings(here) == findings(there), "times, text, words, confidence"
    for kind in ("started", "stopped"):
        (ours,), (theirs,) = events_of(here, kind), events_of(there, kind)
        assert without_ids(ours) == without_ids(theirs)
    assert word_error_rate(TWO_CITIES, transcript(here)) < 0.2


async def test_interims_and_key_terms(rpc_transcriber: Server) -> None:
    async with rpc_client(rpc_transcriber) as call:
        await call.start(beckett(), interim_results=True, keyterms=["Beckett"])

        async def send_live() -> None:
            for piece in itertools.cycle(pieces(beckett().data, [3_200])):
                await call.send(piece)
                await asyncio.sleep(0.1)

        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(send_live())
            interim = (await call.events_until("interim"))[-1]
            sending.cancel()
        await call.finish()
    assert isinstance(interim["text"], str)
    assert interim["is_final"] is False


async def test_equal_chunks(rpc_standin: Server) -> None:
    there = await stream_audio(rpc_standin, beckett(), "simple")
    here = await stream_rpc(rpc_standin, beckett(), CHUNKS)
    assert findings(here) == findings(there)
    assert len(events_of(here, "segment")) == 40
    assert here[0]["vad"] is None


async def test_a_container(rpc_transcriber: Server) -> None:
    wave = (require("moonshine-tiny-en") / "beckett.wav").read_bytes()
    there = await stream_audio(rpc_transcriber, beckett())
    async with rpc_client(rpc_transcriber) as call:
        await call.send_request("start", format={"encoding": "AUTO"})
        await call.send(wave, (1_000,))
        events = await call.finish()
    assert transcript(events) == transcript(there)


async def test_several_streams_a_call(rpc_standin: Server) -> None:
    alone = await stream_rpc(rpc_standin, beckett())
    async with rpc_client(rpc_standin) as call:
        await call.start(beckett())
        await call.send(beckett().data)
        await call.send_request("stop")
        first = await call.events_until("stopped")
        await call.send(beckett().data)  # with the settings of the last `start`
        await call.start(beckett(), interim_results=True)  # stops the second
        second = await call.events_until("stopped")
        await call.send(beckett().data)
        third = await call.finish()
        assert await call.status() == ("OK", "")
    for events in (first, second, third):
        check_stream(events)
        assert findings(events) == findings(alone)


async def test_flush_configure_and_keep_alive(rpc_standin: Server) -> None:
    async def play(socket: Any) -> list[Event]:
        await socket.start(beckett())
        await socket.send(beckett().part(0, 1.0))
        await socket.send_request("flush")
        events: list[Event] = await socket.events_until("flushed")
        await socket.send_request("keep_alive")
        await socket.send_request("configure", vad={"min_silence_ms": 100})
        events += await socket.events_until("configured")
        await socket.send(beckett().part(1.0, 10.0))
        await socket.send_request("stop", disconnect=True)
        events += await socket.events_until_close()
        return events

    async with client(rpc_standin) as socket, rpc_client(rpc_standin) as call:
        there, here = await play(socket), await play(call)
        assert await call.status() == ("OK", "")
    check_stream(here)
    for kind in ("flushed", "configured", "segment"):
        assert events_of(here, kind) == events_of(there, kind)
    assert events_of(here, "segment")[0]["flushed"] is True


async def test_configured_key_terms_stay_or_are_taken_back(rpc_transcriber: Server) -> None:
    async with rpc_client(rpc_transcriber) as call:
        await call.start(keyterms=["Oslo"])
        await call.send_request("configure", interim_results=True)
        kept = (await call.events_until("configured"))[-1]
        await call.send_request("configure", keyterms={})
        taken_back = (await call.events_until("configured"))[-1]
        await call.finish()
    assert (kept["keyterms"], kept["interim_results"]) == (["Oslo"], True)
    assert (taken_back["keyterms"], taken_back["interim_results"]) == ([], True)


SAME_MISTAKES: list[tuple[str, dict[str, Any]]] = [
    ("start", {"format": {"sample_rate": 1}}),
    ("start", {"format": {"sample_rate": 16_000, "channels": 99}}),
    ("start", {"format": {"sample_rate": 16_000, "bit_depth": 12}}),
    ("start", {"format": {"sample_rate": 16_000}, "model": "whisper"}),
    ("start", {"format": {"sample_rate": 16_000}, "vad": {"threshold": 3.0}}),
    ("start", {"format": {"sample_rate": 16_000}, "keyterms": ["x" * 1_000]}),
    ("start", {}),
    ("flush", {}),
    ("stop", {}),
    ("configure", {"words": True}),
]


@pytest.mark.parametrize(("request_", "fields"), SAME_MISTAKES)
async def test_a_mistake_is_explained_as_on_the_websocket(
    rpc_standin: Server, request_: str, fields: dict[str, Any]
) -> None:
    async with client(rpc_standin) as socket, rpc_client(rpc_standin) as call:
        await socket.send_request(request_, **fields)
        await call.send_request(request_, **fields)
        error = await call.next_event()
        assert error == await socket.next_event()
        assert error["fatal"] is False
        await finishes(call)


async def finishes(call: RpcClient) -> None:
    """The call can be used as if nothing had been."""
    await call.start(beckett())
    await call.send(beckett().data)
    check_stream(await call.finish())
    assert await call.status() == ("OK", "")


@settings(deadline=None, max_examples=8, suppress_health_check=list(HealthCheck))
@given(sizes=st.lists(st.integers(1, 9_000), min_size=1, max_size=12).filter(lambda n: sum(n) > 99))
async def test_the_cut_changes_nothing(rpc_standin: Server, sizes: list[int]) -> None:
    whole = await stream_audio(rpc_standin, beckett())
    assert findings(await stream_rpc(rpc_standin, beckett(), sizes=sizes)) == findings(whole)
