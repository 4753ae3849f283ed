"""What gRPC costs beside the WebSocket: `make bench-grpc`.

The same streams of real speech, in real time, over each wire to a server of its own with the
stand-in model. Both servers run at the same time, so that other load on the machine affects them
alike; messages of each length have their turn. CPU time of the server's own process with all its
threads, for a second of audio: of everything that it does but the model's work.
"""

import asyncio
import itertools
import json
import multiprocessing
import socket
import statistics
from collections.abc import Callable, Mapping
from typing import Literal
from urllib.parse import urlsplit

import grpc.aio
import numpy as np
import psutil
from rich.console import Console
from rich.progress import Progress
from websockets.asyncio.client import connect

from streamer.rpc.descriptors import message_class
from tools.bench.live import RATE, STAND_IN, Served, joined, machine, recordings, serve
from tools.bench.result_files import Row, table, write_json
from tools.command_line import tool_parser

Wire = Literal["WebSocket", "gRPC"]
WIRES: tuple[Wire, ...] = ("WebSocket", "gRPC")
MESSAGE_MS = (20, 100)
WARM_UP_S = 3.0
"""Seconds of audio before a measurement."""

Spent = dict[tuple[Wire, int], list[float]]
"""Milliseconds for a second of audio, by wire and length of a message, in each round."""


async def _over_websocket(address: str, pcm: bytes, size: int, begin_s: float) -> int:
    start = {"request": "start", "format": {"sample_rate": RATE}}
    async with connect(f"ws://{address}/api/v1/segmented", compression=None, proxy=None) as wire:

        async def send() -> None:
            await wire.send(json.dumps(start))
            await _play(wire.send, pcm, size, begin_s)
            await wire.send(json.dumps({"request": "stop", "disconnect": True}))

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(send())
            events = [json.loads(frame)["type"] async for frame in wire]
    return events.count("segment")


async def _over_grpc(channel: grpc.aio.Channel, pcm: bytes, size: int, begin_s: float) -> int:
    request = message_class("streamer.v1.StreamRequest")
    response = message_class("streamer.v1.StreamResponse")
    call = channel.stream_stream(
        "/streamer.v1.Streaming/Stream", request.SerializeToString, response.FromString
    )()

    async def send() -> None:
        await call.write(request(start={"format": {"sample_rate": RATE}}))
        await _play(lambda piece: call.write(request(audio=piece)), pcm, size, begin_s)
        await call.done_writing()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(send())
        events = [event.WhichOneof("event") async for event in call]
    return events.count("segment")


async def _play(send: Callable[[bytes], object], pcm: bytes, size: int, begin_s: float) -> None:
    """Send messages of a size as they would be recorded."""
    clock = asyncio.get_running_loop().time
    for number, first in enumerate(range(0, len(pcm), size), 1):
        await asyncio.sleep(max(0.0, begin_s + number * size / (2 * RATE) - clock()))
        sent = send(pcm[first : first + size])
        assert asyncio.iscoroutine(sent)
        await sent


def play(
    wire: Wire, address: str, pcm: bytes, streams: int, seconds: float, message_ms: int
) -> int:
    """Play streams, each from another place of the audio; for a process of its own.

    Args:
        wire: That they go over.
        address: Host and port for this wire.
        pcm: 16-bit samples at `RATE`.
        streams: How many.
        seconds: Of each stream.
        message_ms: Of audio in a message.

    Returns:
        The number of segments.
    """
    size = RATE * message_ms // 1000 * 2

    async def run() -> int:
        begin_s = asyncio.get_running_loop().time()
        async with grpc.aio.insecure_channel(address) as channel, asyncio.TaskGroup() as tasks:
            played = []
            for number in range(streams):
                first = number * (len(pcm) // streams) // 2 * 2
                part = (pcm[first:] + pcm)[: round(seconds * RATE) * 2]
                offset_s = begin_s + message_ms / 1000 * number / streams
                if wire == "gRPC":
                    stream = _over_grpc(channel, part, size, offset_s)
                else:
                    stream = _over_websocket(address, part, size, offset_s)
                played.append(tasks.create_task(stream))
        return sum(each.result() for each in played)

    return asyncio.run(run())


def summary(spent: Mapping[tuple[Wire, int], list[float]]) -> list[Row]:
    """Medians over the rounds: of the cost, and of the ratio in the same round."""
    rows: list[Row] = []
    for message_ms in sorted({length for _, length in spent}):
        websocket, rpc = spent["WebSocket", message_ms], spent["gRPC", message_ms]
        ratios = [cost / base for cost, base in zip(rpc, websocket, strict=True)]
        rows.append(
            {
                "message, ms": message_ms,
                "WebSocket, ms per audio s": round(statistics.median(websocket), 2),
                "gRPC, ms per audio s": round(statistics.median(rpc), 2),
                "gRPC over WebSocket": round(statistics.median(ratios), 2),
                "in the rounds": f"{min(ratios):.2f} to {max(ratios):.2f}",
            }
        )
    return rows


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> None:
    """Print the table."""
    parser = tool_parser("tools.bench.rpc", __doc__)
    parser.add_argument("--streams", type=int, default=30, help="over each wire")
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    pcm = (np.clip(joined(recordings(None), RATE), -1, 1) * 32767).astype("<i2").tobytes()
    port = _free_port()
    spent: Spent = {kind: [] for kind in itertools.product(WIRES, MESSAGE_MS)}
    audio_s = args.streams * args.seconds
    with (
        serve(STAND_IN) as plain,
        serve({**STAND_IN, "grpc": {"port": port}}) as rpc,
        multiprocessing.get_context("spawn").Pool(2) as players,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        servers: Mapping[Wire, Served] = {"WebSocket": plain, "gRPC": rpc}
        addresses = {"WebSocket": urlsplit(plain.url).netloc, "gRPC": f"127.0.0.1:{port}"}

        def play_both(streams: int, seconds: float, message_ms: int) -> dict[Wire, float]:
            """CPU seconds of each server."""
            before = {wire: _cpu_s(server.process) for wire, server in servers.items()}
            played = [
                players.apply_async(
                    play, (wire, addresses[wire], pcm, streams, seconds, message_ms)
                )
                for wire in servers
            ]
            counts = [each.get() for each in played]
            assert counts[0] == counts[1]  # the same segments
            return {wire: _cpu_s(servers[wire].process) - before[wire] for wire in servers}

        for message_ms in MESSAGE_MS:
            play_both(5, WARM_UP_S, message_ms)
        for _ in progress.track(range(args.rounds), description="playing"):
            for message_ms in MESSAGE_MS:
                for wire, cost_s in play_both(args.streams, args.seconds, message_ms).items():
                    spent[wire, message_ms].append(1000 * cost_s / audio_s)
    rows = summary(spent)
    Console(width=120).print(
        table(f"{args.streams} streams in real time over each wire, stand-in model", rows)
    )
    rounds = {f"{wire}, {message_ms} ms": costs for (wire, message_ms), costs in spent.items()}
    write_json("grpc.json", {"machine": machine(), "rows": rows, "rounds": rounds})


if __name__ == "__main__":
    main()
