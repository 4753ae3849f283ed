"""deepgram-sdk 7 as it comes, with Flux: prints each message as a line of JSON.

deepgram_flux.py http://127.0.0.1:8080 KEY recording.wav [option=value ...]
"""

import asyncio
import json
import sys
import wave

from deepgram import AsyncDeepgramClient, DeepgramClientEnvironment
from deepgram.core.events import EventType

FRAME_S = 0.08
"""Seconds; what Deepgram advises."""


async def main(base: str, key: str, path: str, *given: str) -> None:
    socket = base.replace("http", "ws", 1)
    environment = DeepgramClientEnvironment(
        base=base, production=socket, agent=socket, agent_rest=base
    )
    client = AsyncDeepgramClient(api_key=key, environment=environment)
    with wave.open(path) as wav:
        async with client.listen.v2.connect(
            model="flux-general-en",
            encoding="linear16",
            sample_rate=wav.getframerate(),
            **dict(option.split("=", 1) for option in given),
        ) as connection:
            connection.on(
                EventType.MESSAGE,
                lambda message: print(json.dumps(message.dict(), default=str), flush=True),
            )
            connection.on(EventType.ERROR, lambda error: sys.exit(f"error: {error}"))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(connection.start_listening())  # ends when the server closes
                while chunk := wav.readframes(int(wav.getframerate() * FRAME_S)):
                    await connection.send_media(chunk)
                    await asyncio.sleep(FRAME_S / 4)  # four times as fast as live
                await connection.send_close_stream()


asyncio.run(main(*sys.argv[1:]))
