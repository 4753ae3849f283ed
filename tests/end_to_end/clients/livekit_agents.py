"""LiveKit Agents' STT plugins as they come: prints each event as a line of JSON.

livekit_agents.py http://127.0.0.1:8080 KEY recording.wav SERVICE ...

Services: deepgram, flux, openai, assemblyai; they run side by side. The recording is repeated, with
silence behind it, until the standard input ends.
"""

import asyncio
import json
import sys
import wave

from livekit import rtc
from livekit.agents import APIStatusError, stt, utils
from livekit.plugins import assemblyai, deepgram, openai

FRAME_S = 0.05
"""Seconds; an agent gets frames of 10 to 50 ms."""

SILENCE_S = 3.0
"""Seconds of silence behind the recording."""

SPEED = 4
"""How much faster than live the audio is sent."""


def plugin(service: str, base: str, key: str) -> stt.STT:
    """The plugin, pointed at a server as the documentation says."""
    socket = base.replace("http", "ws", 1)
    if service == "deepgram":
        return deepgram.STT(api_key=key, base_url=f"{base}/v1/listen")
    if service == "flux":
        return deepgram.STTv2(api_key=key, base_url=f"{socket}/v2/listen")
    if service == "openai":
        return openai.STT(api_key=key, base_url=f"{base}/v1", use_realtime=True)
    if service == "assemblyai":
        return assemblyai.STT(api_key=key, base_url=socket)
    raise ValueError(service)


class Transcription:
    """One plugin at work.

    Args:
        service: Which one.
        stopping: Set when the input is to end.
    """

    def __init__(self, service: str, stopping: asyncio.Event) -> None:
        self._service = service
        self._stopping = stopping

    async def run(self, base: str, key: str, path: str) -> None:
        """Until the input has ended, or the plugin has given up."""
        async with plugin(self._service, base, key) as transcriber:
            transcriber.on("error", self._show_error)
            async with transcriber.stream() as stream, asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(self._read(stream))
                pushing = tasks.create_task(self._push(stream, path))
                reading.add_done_callback(lambda _: pushing.cancel())
                if self._service == "openai":  # which does not end when its input does
                    pushing.add_done_callback(lambda _: reading.cancel())

    def _show(self, kind: str, **fields: object) -> None:
        print(json.dumps({"service": self._service, "type": kind, **fields}), flush=True)

    def _show_error(self, failed: stt.STTError) -> None:
        error = failed.error
        self._show(
            "error",
            error=type(error).__name__,
            status=error.status_code if isinstance(error, APIStatusError) else None,
            recoverable=failed.recoverable,
            message=str(error),
        )

    async def _push(self, stream: stt.SpeechStream, path: str) -> None:
        with wave.open(path) as wav:
            rate, samples = wav.getframerate(), int(wav.getframerate() * FRAME_S)
            audio = wav.readframes(wav.getnframes()) + bytes(2 * int(rate * SILENCE_S))
        first = 0
        while not self._stopping.is_set():
            piece = audio[first : first + 2 * samples]
            try:
                stream.push_frame(rtc.AudioFrame(piece, rate, 1, len(piece) // 2))
            except RuntimeError:  # the plugin has given up, and closed the stream
                return
            first = (first + len(piece)) % len(audio)
            await asyncio.sleep(FRAME_S / SPEED)
        stream.end_input()

    async def _read(self, stream: stt.SpeechStream) -> None:
        try:
            async for event in stream:
                said = " ".join(each.text for each in event.alternatives)
                self._show(event.type.value, text=said)
        except Exception as error:  # the plugins let some of aiohttp's through
            self._show("ended", error=type(error).__name__)
        else:
            self._show("ended")


async def main(base: str, key: str, path: str, *services: str) -> None:
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, stopping.set)
    async with utils.http_context.open(), asyncio.TaskGroup() as tasks:
        for service in services:
            tasks.create_task(Transcription(service, stopping).run(base, key, path))


asyncio.run(main(*sys.argv[1:]))
