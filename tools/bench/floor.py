"""The cost of doing nothing: a WebSocket server that receives live audio and drops it.

Run as a process of its own by `played`, it is the floor under every server made of the same parts,
measured on this machine at this moment.
"""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import psutil

from streamer.load.generate import generate
from streamer.load.plan import LoadPlan
from streamer_client.formats import AudioFormat
from tools.bench.result_files import ROOT

READY = "ready on port "
STREAMS, SECONDS = 60, 10.0


def main() -> None:
    """Serve with the WebSocket implementation, event loop and number of queue hops given."""
    import uvicorn

    from streamer.config.limits import LimitsConfig
    from streamer.websocket.connection import websocket_class

    implementation, loop, hops = sys.argv[1:]
    ws: Any = websocket_class(LimitsConfig()) if implementation == "streamer" else implementation
    config = uvicorn.Config(
        _app(int(hops)),
        ws=ws,
        loop=loop,
        log_level="error",
        ws_per_message_deflate=False,
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(f"{READY}{listening.getsockname()[1]}", flush=True)
        uvicorn.Server(config).run([listening])


def _app(hops: int) -> Callable[..., Any]:
    """Receive messages, and pass each from task to task through `hops` queues."""

    async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        if scope["type"] != "websocket":
            return
        await receive()
        await send({"type": "websocket.accept"})
        queues: list[asyncio.Queue[Any]] = [asyncio.Queue(64) for _ in range(hops)]

        async def read() -> None:
            while (message := await receive())["type"] != "websocket.disconnect":
                await hand_on(0, message)

        async def hand_on(index: int, message: Any) -> None:  # noqa: ANN401
            if index < hops:
                await queues[index].put(message)
            elif text := message.get("text"):
                kind = "started" if json.loads(text)["request"] == "start" else "stopped"
                await send({"type": "websocket.send", "text": json.dumps({"type": kind})})
                if kind == "stopped":
                    await send({"type": "websocket.close"})

        async def hop(index: int) -> None:
            while True:
                await hand_on(index + 1, await queues[index].get())

        async with asyncio.TaskGroup() as tasks:
            hopping = [tasks.create_task(hop(index)) for index in range(hops)]
            await read()
            for task in hopping:
                task.cancel()

    return app


def played(implementation: str, loop: str = "uvloop", hops: int = 0) -> float:
    """CPU milliseconds of such a server for a second of audio, 60 live streams."""
    command = [sys.executable, "-m", "tools.bench.floor", implementation, loop, str(hops)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().removeprefix(READY).strip()
            times = psutil.Process(process.pid).cpu_times
            samples: list[tuple[float, float]] = []

            def sample(at_s: float) -> None:
                if 1 < at_s < SECONDS:
                    spent = times()
                    samples.append((at_s, spent.user + spent.system))

            audio = bytes(32_000)
            address = f"ws://127.0.0.1:{port}/"
            generate(LoadPlan(address, STREAMS, SECONDS, audio, AudioFormat(16_000, 1, 16)), sample)
        finally:
            process.terminate()
    (first_s, first_cpu_s), (last_s, last_cpu_s) = samples[0], samples[-1]
    return 1000 * (last_cpu_s - first_cpu_s) / (last_s - first_s) / STREAMS


if __name__ == "__main__":
    main()
