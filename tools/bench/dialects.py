"""What other vendors' protocols cost beside our own: `make bench-dialects`.

The same streams, in real time, to one server with the built-in transcriber, by each protocol in
turn, in rounds whose order changes. CPU time of the server's own process and of its workers, for a
second of audio. The others always have words, so they are compared with our own with words as well.
"""

import asyncio
import contextlib
import multiprocessing
import statistics
from collections.abc import AsyncIterator, Callable, Mapping
from urllib.parse import urlsplit

import numpy as np
from rich.console import Console
from rich.progress import Progress
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from streamer.dialects.wyoming.codec import Event, EventDecoder
from tools.bench.dialect_protocols import PROTOCOLS, WYOMING, Protocol
from tools.bench.live import joined, machine, recordings, serve
from tools.bench.result_files import Row, table, write_json
from tools.command_line import tool_parser
from tools.harness.process import cpu_s

FRAME_S = 0.05
"""Seconds of audio in a message, as LiveKit sends it."""

QUIET_S = 2.0
"""Seconds without a message after which a stream that the client ends is over."""

WYOMING_PORT = 10_399
"""Of the server for Home Assistant's protocol."""


class Wire:
    """A connection without a WebSocket, with the methods of one that are needed here."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes | str) -> None:
        """Send bytes."""
        assert isinstance(data, bytes)
        self._writer.write(data)
        await self._writer.drain()

    async def recv(self) -> Event:
        """Wait for the next event; the last one is `transcript-stop`."""
        decoder = EventDecoder(1_000_000)
        while (event := decoder.next_event()) is None:
            decoder.feed(await self._reader.readexactly(1))
        if event.type == "transcript-stop":
            raise ConnectionClosed(None, None)
        return event


@contextlib.asynccontextmanager
async def _connected(host: str, protocol: Protocol) -> AsyncIterator[ClientConnection | Wire]:
    """Connect to a server at `HOST:PORT`."""
    if protocol.path != WYOMING:
        address = f"ws://{host}{protocol.path}"
        async with connect(address, compression=None, max_queue=None, proxy=None) as socket:
            yield socket
        return
    reader, writer = await asyncio.open_connection(host.partition(":")[0], WYOMING_PORT)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


async def _stream(host: str, protocol: Protocol, pcm: bytes, begin_s: float) -> int:
    """Play one stream in real time; returns the number of messages that came back."""
    received = 0
    size = int(protocol.rate * FRAME_S) * 2
    clock = asyncio.get_running_loop().time
    arrived = asyncio.Event()
    async with _connected(host, protocol) as socket:

        async def receive() -> None:
            nonlocal received
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await socket.recv()
                    received += 1
                    arrived.set()

        async with asyncio.TaskGroup() as tasks:
            receiving = tasks.create_task(receive())
            if protocol.begin is not None:
                await socket.send(protocol.begin)
            for number, first in enumerate(range(0, len(pcm), size)):
                await asyncio.sleep(max(0.0, begin_s + number * FRAME_S - clock()))
                await socket.send(protocol.frame(pcm[first : first + size]))
            await socket.send(protocol.end)
            if not protocol.closes:
                await _quiet(arrived)
                receiving.cancel()
    return received


async def _quiet(arrived: asyncio.Event) -> None:
    """Wait until no message has come for `QUIET_S` seconds."""
    with contextlib.suppress(TimeoutError):
        while True:
            arrived.clear()
            await asyncio.wait_for(arrived.wait(), QUIET_S)


def play(host: str, name: str, pcm: bytes, streams: int, seconds: float) -> int:
    """Play streams, each from another place of the audio; for a process of its own.

    Args:
        host: `HOST:PORT` of the server.
        name: Of the protocol.
        pcm: 16-bit samples at the protocol's rate.
        streams: How many.
        seconds: Of each stream.

    Returns:
        The number of messages that came back.
    """
    protocol = PROTOCOLS[name]
    size = int(seconds / FRAME_S) * int(protocol.rate * FRAME_S) * 2

    async def run() -> int:
        begin_s = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as tasks:
            played = []
            for number in range(streams):
                first = number * (len(pcm) // streams) // 2 * 2
                part = (pcm[first:] + pcm)[:size]
                offset_s = FRAME_S * number / streams
                played.append(tasks.create_task(_stream(host, protocol, part, begin_s + offset_s)))
        return sum(each.result() for each in played)

    return asyncio.run(run())


def summary(spent: Mapping[str, list[tuple[float, float, int]]]) -> list[Row]:
    """Medians over the rounds: of the cost, and of its ratio to our own in the same round."""
    rows: list[Row] = []
    for name, rounds in spent.items():
        base = spent.get(PROTOCOLS[name].beside, rounds)
        rows.append(
            {
                "protocol": name,
                "server, ms per audio s": round(statistics.median(each[0] for each in rounds), 2),
                "workers, ms per audio s": round(statistics.median(each[1] for each in rounds), 1),
                "messages": round(statistics.median(each[2] for each in rounds)),
                "server, beside own": _ratio(rounds, base, lambda each: each[0]),
                "all, beside own": _ratio(rounds, base, lambda each: each[0] + each[1]),
            }
        )
    return rows


def _ratio(
    rounds: list[tuple[float, float, int]],
    base: list[tuple[float, float, int]],
    cost: Callable[[tuple[float, float, int]], float],
) -> float:
    ratios = [cost(each) / cost(other) for each, other in zip(rounds, base, strict=True)]
    return round(statistics.median(ratios), 3)


def main() -> None:
    """Print the table."""
    parser = tool_parser("tools.bench.dialects", __doc__)
    parser.add_argument("--streams", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    protocols = list(PROTOCOLS)
    parser.add_argument(
        "--only", nargs="+", choices=protocols, default=protocols, help="these only"
    )
    args = parser.parse_args()
    audio = {
        rate: (np.clip(joined(recordings(None), rate), -1, 1) * 32767).astype("<i2").tobytes()
        for rate in {PROTOCOLS[name].rate for name in args.only}
    }
    spent: dict[str, list[tuple[float, float, int]]] = {name: [] for name in args.only}
    audio_s = args.streams * args.seconds
    config = {"model": {"path": "moonshine-tiny-en"}, "wyoming": {"port": WYOMING_PORT}}
    context = multiprocessing.get_context("spawn")
    with (
        serve(config) as served,
        context.Pool(1) as players,
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        host = urlsplit(served.url).netloc
        for number in progress.track(range(args.rounds), description="playing"):
            for name in sorted(args.only, reverse=number % 2 == 1):
                loop = cpu_s(served.process)
                workers = sum(map(cpu_s, served.workers))
                pcm = audio[PROTOCOLS[name].rate]
                messages = players.apply(play, (host, name, pcm, args.streams, args.seconds))
                loop = cpu_s(served.process) - loop
                workers = sum(map(cpu_s, served.workers)) - workers
                spent[name].append((1000 * loop / audio_s, 1000 * workers / audio_s, messages))
    rows = summary(spent)
    Console(width=140).print(table(f"{args.streams} streams in real time, with interims", rows))
    write_json("dialects.json", {"machine": machine(), "rows": rows, "rounds": spent})


if __name__ == "__main__":
    main()
