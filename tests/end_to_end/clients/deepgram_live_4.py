"""deepgram-sdk 3 and 4 as it comes, live: prints each message as a line of JSON.

deepgram_live_4.py http://127.0.0.1:8080 KEY recording.wav [option=value ...]
"""

import asyncio
import sys
import wave
from typing import Any

from deepgram import (
    DeepgramClient,
    DeepgramClientOptions,
    LiveOptions,
    LiveTranscriptionEvents,
)


async def main(base: str, key: str, path: str, *given: str) -> None:
    client = DeepgramClient(key, DeepgramClientOptions(url=base, options={"keepalive": "true"}))
    connection = client.listen.asyncwebsocket.v("1")
    finalized = asyncio.Event()

    async def show(_: Any, result: Any = None, **named: Any) -> None:
        message = result or next(iter(named.values()))
        print(message.to_json().replace("\n", " "), flush=True)
        if getattr(message, "from_finalize", False):
            finalized.set()

    async def on_error(_: Any, error: Any, **named: Any) -> None:
        sys.exit(f"error: {error}")

    for event in (
        LiveTranscriptionEvents.Transcript,
        LiveTranscriptionEvents.Metadata,
        LiveTranscriptionEvents.SpeechStarted,
        LiveTranscriptionEvents.UtteranceEnd,
    ):
        connection.on(event, show)
    connection.on(LiveTranscriptionEvents.Error, on_error)
    with wave.open(path) as wav:
        options = LiveOptions(
            model="nova-3",
            encoding="linear16",
            sample_rate=wav.getframerate(),
            channels=wav.getnchannels(),
            **dict(option.split("=", 1) for option in given),
        )
        if not await connection.start(options):
            sys.exit("not connected")
        while chunk := wav.readframes(wav.getframerate() // 50):
            await connection.send(chunk)
        await connection.keep_alive()
        await connection.finalize()
        await finalized.wait()  # `finish` does not wait for the results of earlier audio
        await connection.finish()


asyncio.run(main(*sys.argv[1:]))
