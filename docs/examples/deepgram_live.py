"""Transcribe live with Deepgram's client, version 7.2 or newer.

`.venv/bin/python docs/examples/deepgram_live.py RECORDING.WAV [SERVER]`
"""

import asyncio
import sys
import wave

try:
    from deepgram import AsyncDeepgramClient, DeepgramClientEnvironment
    from deepgram.core.api_error import ApiError
    from deepgram.core.events import EventType
    from websockets.exceptions import WebSocketException
except ImportError:
    command = f"{sys.executable} -m pip install --upgrade deepgram-sdk"
    sys.exit(f"this script needs deepgram-sdk: {command}")
if len(sys.argv) not in (2, 3):
    sys.exit("usage: deepgram_live.py RECORDING.WAV [SERVER]")


def show(message):
    if message.type == "Results" and message.is_final:
        print(message.channel.alternatives[0].transcript, flush=True)


async def send(connection, recording):
    """Send 100 ms at a time, as fast as the microphone would."""
    while audio := recording.readframes(recording.getframerate() // 10):
        await connection.send_media(audio)
        await asyncio.sleep(0.1)
    await connection.send_close_stream()


async def main(path, server="http://localhost:8080"):
    sockets = server.replace("http", "ws", 1)
    environment = DeepgramClientEnvironment(
        base=server, production=sockets, agent=sockets, agent_rest=server
    )
    client = AsyncDeepgramClient(api_key="any", environment=environment)
    with wave.open(path) as recording:  # 16 bits
        async with client.listen.v1.connect(
            model="nova-3",
            punctuate="true",
            encoding="linear16",
            sample_rate=recording.getframerate(),
            channels=recording.getnchannels(),
        ) as connection:
            connection.on(EventType.MESSAGE, show)
            connection.on(EventType.ERROR, lambda error: sys.exit(f"deepgram_live.py: {error}"))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(connection.start_listening())  # ends when the server closes
                tasks.create_task(send(connection, recording))


try:
    asyncio.run(main(*sys.argv[1:]))
except* (
    ApiError,
    OSError,
    WebSocketException,
    wave.Error,
) as errors:  # no server, no key, no such file …
    sys.exit(f"deepgram_live.py: {errors.exceptions[0]}")
