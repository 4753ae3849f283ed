"""The wyoming package as Home Assistant uses it: prints each event as a line of JSON.

home_assistant.py HOST PORT recording.wav [language=en] [vad_sensitivity=aggressive] [live]

`live`: in real time, and only until the transcript comes, as since 2026.11.
"""

import asyncio
import json
import sys
import wave
from typing import Any

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong

CHUNK_FRAMES = 1_024


def show(event: Event) -> None:
    print(json.dumps({"type": event.type, **event.data}), flush=True)


async def describe(host: str, port: int) -> Info:
    """As `homeassistant/components/wyoming/data.py`: on a connection of its own."""
    async with AsyncTcpClient(host, port) as client, asyncio.timeout(5):
        await client.write_event(Describe().event())
        while True:
            event = await client.read_event()
            assert event is not None
            if Info.is_type(event.type):
                show(event)
                return Info.from_event(event)


async def ping(host: str, port: int) -> None:
    async with AsyncTcpClient(host, port) as client, asyncio.timeout(5):
        await client.write_event(Ping(text="there?").event())
        event = await client.read_event()
        assert event is not None
        assert Pong.is_type(event.type)
        show(event)


async def transcribe(host: str, port: int, path: str, *, live: bool, **options: Any) -> None:
    """As `homeassistant/components/wyoming/stt.py`: it reads while it sends."""
    async with AsyncTcpClient(host, port) as client:
        with wave.open(path) as wav:
            form = {
                "rate": wav.getframerate(),
                "width": wav.getsampwidth(),
                "channels": wav.getnchannels(),
            }
            await client.write_event(Transcribe(**options).event())
            await client.write_event(AudioStart(**form).event())

            async def upload() -> None:
                while audio := wav.readframes(CHUNK_FRAMES):
                    await client.write_event(AudioChunk(audio=audio, **form).event())
                    if live:
                        await asyncio.sleep(CHUNK_FRAMES / wav.getframerate())
                await client.write_event(AudioStop().event())

            async with asyncio.TaskGroup() as tasks:
                sending = tasks.create_task(upload())
                while (event := await client.read_event()) is not None:
                    show(event)
                    if Transcript.is_type(event.type) or Error.is_type(event.type):
                        break
                if live:
                    sending.cancel()


async def main(host: str, port: int, path: str, *given: str) -> None:
    info = await describe(host, port)
    assert info.asr[0].installed
    await ping(host, port)
    options = dict(option.split("=", 1) for option in given if "=" in option)
    await transcribe(host, port, path, live="live" in given, **options)


asyncio.run(main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))
