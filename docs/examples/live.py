"""Send audio while events are read: `.venv/bin/python docs/examples/live.py < AUDIO`."""

import asyncio
import sys

from streamer_client import connect


async def main() -> None:
    async with connect(sample_rate=16_000) as stream, asyncio.TaskGroup() as tasks:
        tasks.create_task(send(stream))
        async for event in stream:
            if event.type == "segment":
                print(event.text)


async def send(stream):
    while pcm := await asyncio.to_thread(sys.stdin.buffer.read, 640):
        await stream.send(pcm)
    await stream.stop()


asyncio.run(main())
