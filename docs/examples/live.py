"""Send audio while events are read: `.venv/bin/python docs/examples/live.py [ADDRESS] < AUDIO`.

AUDIO is raw PCM: 16 kHz, mono, 16-bit little-endian.
"""

import asyncio
import os
import sys

from streamer_client import StreamerError, connect


async def main(address: str = "ws://localhost:8080/api/v1/segmented") -> None:
    async with connect(address, sample_rate=16_000) as stream, asyncio.TaskGroup() as tasks:
        tasks.create_task(send(stream))
        async for event in stream:
            if event.type == "segment":
                print(event.text, flush=True)
            elif event.type in ("warning", "error"):
                print(event.message, file=sys.stderr)


async def send(stream):
    while pcm := await asyncio.to_thread(sys.stdin.buffer.read, 640):
        await stream.send(pcm)
    await stream.stop()


problem = None
try:
    asyncio.run(main(*sys.argv[1:2]))
except* StreamerError as errors:  # no server, connection lost …
    problem = f"live.py: {errors.exceptions[0]}"
except* BrokenPipeError:  # the reader of the output has ended, as in `live.py | head`
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
sys.exit(problem)
