"""Print the transcript of a recording: `.venv/bin/python docs/examples/transcribe.py [FILE]`."""

import asyncio
import sys

from streamer_client import transcribe


async def main(path: str) -> None:
    async for event in transcribe(path, "ws://localhost:8080/api/v1/segmented"):
        if event.type == "segment":
            print(f"{event.start_time:6.2f} s  {event.text}")


asyncio.run(main(sys.argv[1] if sys.argv[1:] else "models/moonshine-tiny-en/beckett.wav"))
