"""A client that sends no audio during silence, in real time, over real sockets."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.end_to_end.conftest import Launch
from tools.harness.process import Server
from tools.harness.sounds import Audio, beckett
from tools.harness.streams import (
    Client,
    check_stream,
    client,
    events_of,
    findings,
    stream_audio,
)

FIRST = Audio(beckett().part(0, 1.2))
"""`Ever tried.`, without silence after it."""
SECOND = Audio(beckett().part(1.75, 2.85))
"""`Ever failed.`, likewise."""
LIVE = Audio(beckett().part(0, 3.9))
"""Two sentences and the beginning of a third one."""
BYTES_PER_SECOND = 32_000
NEXT_EVENT_S = 1.0
"""Seconds without an event, after which none comes."""


async def send_paced(socket: Client, audio: Audio, message_s: float, rate: float = 1.0) -> None:
    """Send messages at a rate; 1 = in real time, as they would be recorded."""
    loop = asyncio.get_running_loop()
    begun_s, size = loop.time(), round(message_s * BYTES_PER_SECOND) * audio.channels
    for n, first in enumerate(range(0, len(audio.data), size), 1):
        await asyncio.sleep(begun_s + n * message_s / rate - loop.time())
        await socket.send(audio.data[first : first + size])


@pytest.mark.parametrize("message_s", [0.02, 0.1, 0.4])
async def test_two_utterances_with_the_microphone_muted_between(
    standin: Server, message_s: float
) -> None:
    """The final of the first comes before the second begins, without any more audio."""
    async with client(standin) as socket:
        await socket.start(interim_results=True)
        await send_paced(socket, FIRST, message_s)
        events = await socket.events_until("segment")
        await send_paced(socket, SECOND, message_s)
        events += await socket.events_until("segment")
        await socket.send_request("stop", disconnect=True)
        events += await socket.events_until_close()
    check_stream(events)
    first, second = events_of(events, "segment")
    assert first["end_time"] == FIRST.seconds, "the last sample received, and no invented one"
    assert FIRST.seconds <= second["start_time"]
    assert second["end_time"] == FIRST.seconds + SECOND.seconds
    for segment in (first, second):
        assert segment["count"] == round(16_000 * (segment["end_time"] - segment["start_time"])), (
            "every sample of it"
        )
        assert "flushed" not in segment
    assert events[-1]["audio_seconds"] == FIRST.seconds + SECOND.seconds
    assert not events_of(events, "warning")


async def test_a_pause_after_silence_ends_where_silence_would(standin: Server) -> None:
    """With 0.4 s of the 0.55 s of silence that end a segment."""
    whole = await stream_audio(standin, beckett())
    async with client(standin) as socket:
        await socket.start()
        await send_paced(socket, Audio(beckett().part(0, 1.6)), 0.02)
        events = await socket.events_until("segment")
        await send_paced(socket, SECOND, 0.02)
        await socket.send_request("stop", disconnect=True)
        later = await socket.events_until_close()
    for kind in ("inactive", "segment"):
        assert events_of(events, kind) == events_of(whole, kind)[:1]
    (second,) = events_of(later, "segment")
    assert second["start_time"] == 1.6, "the padding before speech ends at the pause"


async def test_each_channel_ends_its_own_segment(standin: Server) -> None:
    speech, nothing = FIRST.data, bytes(len(FIRST.data))
    both = Audio(
        b"".join(speech[at : at + 2] + nothing[at : at + 2] for at in range(0, len(speech), 2)),
        channels=2,
    )
    async with client(standin) as socket:
        await socket.start(both)
        await send_paced(socket, both, 0.02)
        events = await socket.events_until("segment")
        await socket.send_request("stop", disconnect=True)
        events += await socket.events_until_close()
    check_stream(events)
    (segment,) = events_of(events, "segment")
    assert (segment["channel"], segment["end_time"]) == (0, FIRST.seconds)


async def test_pauses_while_nobody_speaks_change_nothing(standin: Server) -> None:
    """In the silence before each sentence: what was received before is not forgotten."""
    at_s = [0, 0.3, 1.75, 1.95, 3.9]
    async with client(standin) as socket:
        await socket.start()
        for begin_s, end_s in itertools.pairwise(at_s):
            await send_paced(socket, Audio(beckett().part(begin_s, end_s)), 0.02)
            await asyncio.sleep(NEXT_EVENT_S)
        await socket.send_request("stop", disconnect=True)
        events = await socket.events_until_close()
    check_stream(events)
    assert findings(events) == findings(await stream_audio(standin, LIVE))


Sending = Callable[[Client], Awaitable[None]]


async def in_blocks_of_a_second(socket: Client) -> None:
    """As some recorders send, at a cut in the middle of a sentence among others."""
    await send_paced(socket, LIVE, 1.0)


async def fast_with_a_stall(socket: Client) -> None:
    """A recording four times as fast, whose sender stops in the middle of a sentence."""
    await send_paced(socket, Audio(LIVE.part(0, 2.4)), 0.1, rate=4)
    await asyncio.sleep(2.5)
    await send_paced(socket, Audio(LIVE.part(2.4, 3.9)), 0.1, rate=4)


async def at_once_with_a_stall(socket: Client) -> None:
    """A recording as fast as it can be sent."""
    await socket.send(LIVE.part(0, 2.4))
    await asyncio.sleep(2.5)
    await socket.send(LIVE.part(2.4, 3.9))


async def too_slowly_with_a_stall(socket: Client) -> None:
    """Half as fast as real time, so what is missing is under way."""
    await send_paced(socket, Audio(LIVE.part(0, 2.4)), 0.1, rate=0.5)
    await asyncio.sleep(1.5)
    await send_paced(socket, Audio(LIVE.part(2.4, 3.9)), 0.1, rate=2)


async def after_a_short_gap(socket: Client) -> None:
    """Shorter than the silence that ends a segment."""
    await send_paced(socket, Audio(LIVE.part(0, 2.4)), 0.02)
    await asyncio.sleep(0.45)
    await send_paced(socket, Audio(LIVE.part(2.4, 3.9)), 0.02)


@pytest.mark.parametrize(
    "sending",
    [
        in_blocks_of_a_second,
        fast_with_a_stall,
        at_once_with_a_stall,
        too_slowly_with_a_stall,
        after_a_short_gap,
    ],
)
async def test_what_is_no_pause_ends_no_segment(standin: Server, sending: Sending) -> None:
    async with client(standin) as socket:
        await socket.start()
        await sending(socket)
        await socket.send_request("stop", disconnect=True)
        events = await socket.events_until_close()
    check_stream(events)
    assert findings(events) == findings(await stream_audio(standin, LIVE))


@contextlib.asynccontextmanager
async def stalling_network(server: Server) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """A port that leads to the server. While the event is not set, nothing gets to the server."""
    flowing = asyncio.Event()
    flowing.set()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_server, from_server = reader, writer
        back, forth = await asyncio.open_connection("127.0.0.1", server.port)

        async def upwards() -> None:
            while data := await to_server.read(65_536):
                await flowing.wait()
                forth.write(data)
            forth.close()

        async def downwards() -> None:
            while data := await back.read(65_536):
                from_server.write(data)
            from_server.close()

        with contextlib.suppress(ConnectionError):
            await asyncio.gather(upwards(), downwards())

    relays = await asyncio.start_server(relay, "127.0.0.1", 0)
    async with relays:
        yield relays.sockets[0].getsockname()[1], flowing


async def test_a_network_that_stalls_in_the_middle_of_a_word_ends_no_segment(
    standin: Server,
) -> None:
    """The client goes on; its audio arrives two seconds late, and all at once."""
    async with stalling_network(standin) as (port, flowing), client(port) as socket:
        await socket.start()
        await send_paced(socket, Audio(LIVE.part(0, 2.4)), 0.02)
        flowing.clear()
        asyncio.get_running_loop().call_later(2.0, flowing.set)
        await send_paced(socket, Audio(LIVE.part(2.4, 3.9)), 0.02)
        await socket.send_request("stop", disconnect=True)
        events = await socket.events_until_close()
    check_stream(events)
    assert findings(events) == findings(await stream_audio(standin, LIVE))


async def test_a_server_that_does_not_want_it_waits_for_more_audio(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}, "vad": {"end_on_pause": False}})
    async with client(server) as socket:
        await socket.start()
        await send_paced(socket, FIRST, 0.02)
        events = await socket.events_until("active")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await socket.next_event()
        await socket.send(SECOND.data)
        await socket.send_request("stop", disconnect=True)
        events += await socket.events_until_close()
    check_stream(events)
    (segment,) = events_of(events, "segment")
    assert segment["end_time"] > FIRST.seconds
    assert json.loads(server.get("/api/v1/info").text)["vad"]["end_on_pause"] is False
