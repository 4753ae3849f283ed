"""Print the transcript of a recording.

`.venv/bin/python docs/examples/transcribe.py [FILE [ADDRESS]]`
"""

import asyncio
import os
import sys

from streamer_client import StreamerError, transcribe

RECORDING = "models/moonshine-tiny-en/beckett.wav"
ADDRESS = "ws://localhost:8080/api/v1/segmented"


async def main(path: str = RECORDING, address: str = ADDRESS) -> None:
    async for event in transcribe(path, address):
        if event.type == "segment":
            print(f"{event.start_time:6.2f} s  {event.text}", flush=True)
        elif event.type in ("warning", "error"):
            print(event.message, file=sys.stderr)


try:
    asyncio.run(main(*sys.argv[1:3]))
except StreamerError as error:  # no such file, no server, no token …
    sys.exit(f"transcribe.py: {error}")
except BrokenPipeError:  # the reader of the output has ended, as in `transcribe.py | head`
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
