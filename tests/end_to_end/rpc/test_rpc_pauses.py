"""A client that sends no audio during silence, in real time, over gRPC."""

import asyncio

from tests.end_to_end.rpc.rpc_call import RpcClient, rpc_client
from tools.harness.process import Server
from tools.harness.sounds import Audio, beckett
from tools.harness.streams import check_stream, events_of, findings, stream_audio

FIRST = Audio(beckett().part(0, 1.2))
"""`Ever tried.`, without silence after it."""
SECOND = Audio(beckett().part(1.75, 2.85))
"""`Ever failed.`, likewise."""
LIVE = Audio(beckett().part(0, 3.9))
MESSAGE_S = 0.02


async def send_live(call: RpcClient, data: bytes) -> None:
    """Send messages as they would be recorded."""
    loop = asyncio.get_running_loop()
    begun_s, size = loop.time(), round(MESSAGE_S * 32_000)
    for number, first in enumerate(range(0, len(data), size), 1):
        await asyncio.sleep(begun_s + number * MESSAGE_S - loop.time())
        await call.send(data[first : first + size])


async def test_a_pause_ends_a_segment(rpc_standin: Server) -> None:
    """The final of the first sentence comes before the second begins, without any more audio."""
    async with rpc_client(rpc_standin) as call:
        await call.start()
        await send_live(call, FIRST.data)
        events = await call.events_until("segment")
        await send_live(call, SECOND.data)
        events += await call.events_until("segment")
        events += await call.finish()
    check_stream(events)
    first, second = events_of(events, "segment")
    assert first["end_time"] == FIRST.seconds, "the last sample received, and no invented one"
    assert FIRST.seconds <= second["start_time"]
    assert second["end_time"] == FIRST.seconds + SECOND.seconds
    assert "flushed" not in first


async def test_a_short_gap_is_no_pause(rpc_standin: Server) -> None:
    async with rpc_client(rpc_standin) as call:
        await call.start()
        await send_live(call, LIVE.part(0, 2.4))
        await asyncio.sleep(0.9)  # longer than the silence that ends a segment
        await send_live(call, LIVE.part(2.4, 3.9))
        events = await call.finish()
    check_stream(events)
    assert findings(events) == findings(await stream_audio(rpc_standin, LIVE))
