"""deepgram-sdk 5 to 7 as it comes, live: prints each message as a line of JSON.

deepgram_live.py http://127.0.0.1:8080 KEY recording.wav [option=value ...]
"""

import asyncio
import inspect
import json
import sys
import wave
from typing import Any

from deepgram import AsyncDeepgramClient, DeepgramClientEnvironment
from deepgram.core.events import EventType


def environment(base: str) -> DeepgramClientEnvironment:
    """What makes the SDK use another server than Deepgram's."""
    socket = base.replace("http", "ws", 1)
    urls = {"base": base, "production": socket, "agent": socket}
    if "agent_rest" in inspect.signature(DeepgramClientEnvironment).parameters:
        urls["agent_rest"] = base  # needed since 7.2
    return DeepgramClientEnvironment(**urls)


async def control(connection: Any, kind: str, method: str) -> None:
    if hasattr(connection, method):
        await getattr(connection, method)()
        return
    from deepgram.extensions.types.sockets import ListenV1ControlMessage  # of 5.x

    await connection.send_control(ListenV1ControlMessage(type=kind))


def show(message: Any) -> None:
    print(json.dumps(message.dict(), default=str), flush=True)


async def main(base: str, key: str, path: str, *given: str) -> None:
    client = AsyncDeepgramClient(api_key=key, environment=environment(base))
    with wave.open(path) as wav:
        options: dict[str, Any] = {
            "model": "nova-3",
            "encoding": "linear16",
            "sample_rate": wav.getframerate(),
            "channels": wav.getnchannels(),
            **dict(option.split("=", 1) for option in given),
        }
        async with client.listen.v1.connect(**options) as connection:
            connection.on(EventType.MESSAGE, show)
            connection.on(EventType.ERROR, lambda error: sys.exit(f"error: {error}"))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(connection.start_listening())  # ends when the server closes
                while chunk := wav.readframes(wav.getframerate() // 50):
                    await connection.send_media(chunk)
                await control(connection, "KeepAlive", "send_keep_alive")
                await control(connection, "Finalize", "send_finalize")
                await control(connection, "CloseStream", "send_close_stream")


asyncio.run(main(*sys.argv[1:]))
