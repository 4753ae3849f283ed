"""google-cloud-speech as it comes: prints each response as a line of JSON.

google_live.py ADDRESS sync|async|recording RECORDING [OPTIONS]

OPTIONS is an object in JSON: `config` and `streaming` have fields of the two messages of settings,
`whole` sends the bytes of the file and not its samples, `bytes` is what a message has, `pause_s`
comes behind each message, and `token` is shown to the server. A failure is a line, too.
"""

import asyncio
import json
import sys
import time
import wave
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import speech
from google.cloud.speech_v1.services.speech.transports import (
    SpeechGrpcAsyncIOTransport,
    SpeechGrpcTransport,
)


class Token(grpc.StreamStreamClientInterceptor):  # type: ignore[misc]
    """Shows a token; the package passes no metadata on."""

    def __init__(self, token: str) -> None:
        self._token = token

    def intercept_stream_stream(self, call: Any, details: Any, requests: Any) -> Any:
        metadata = [*(details.metadata or ()), ("authorization", f"Bearer {self._token}")]
        return call(details._replace(metadata=metadata), requests)


def pieces(path: str, options: dict[str, Any]) -> Iterator[bytes]:
    size = options.get("bytes", 3_200)
    if options.get("whole"):
        data = Path(path).read_bytes()
    else:
        with wave.open(path) as recording:
            data = recording.readframes(recording.getnframes())
    for first in range(0, len(data), size):
        yield data[first : first + size]


def streaming_config(path: str, options: dict[str, Any]) -> Any:
    config: dict[str, Any] = {"language_code": "en-US"}
    if not options.get("whole"):
        with wave.open(path) as recording:
            config |= {"encoding": "LINEAR16", "sample_rate_hertz": recording.getframerate()}
    config |= options.get("config", {})
    return speech.StreamingRecognitionConfig(
        config=speech.RecognitionConfig(**config), **options.get("streaming", {})
    )


def show(response: Any) -> None:
    text = type(response).to_json(response, preserving_proto_field_name=True)
    print(json.dumps(json.loads(text)), flush=True)


def live(address: str, path: str, options: dict[str, Any]) -> None:
    channel = grpc.insecure_channel(address)
    if "token" in options:
        channel = grpc.intercept_channel(channel, Token(options["token"]))
    client = speech.SpeechClient(transport=SpeechGrpcTransport(channel=channel))

    def requests() -> Iterator[Any]:
        for piece in pieces(path, options):
            yield speech.StreamingRecognizeRequest(audio_content=piece)
            time.sleep(options.get("pause_s", 0))

    for response in client.streaming_recognize(streaming_config(path, options), requests()):
        show(response)


def recognize(address: str, path: str, options: dict[str, Any]) -> None:
    channel = grpc.insecure_channel(address)
    client = speech.SpeechClient(transport=SpeechGrpcTransport(channel=channel))
    audio = speech.RecognitionAudio(content=b"".join(pieces(path, options)))
    show(client.recognize(config=streaming_config(path, options).config, audio=audio))


async def live_async(address: str, path: str, options: dict[str, Any]) -> None:
    channel = grpc.aio.insecure_channel(address)
    client = speech.SpeechAsyncClient(transport=SpeechGrpcAsyncIOTransport(channel=channel))

    async def requests() -> AsyncIterator[Any]:
        config = streaming_config(path, options)
        yield speech.StreamingRecognizeRequest(streaming_config=config)
        for piece in pieces(path, options):
            yield speech.StreamingRecognizeRequest(audio_content=piece)
            await asyncio.sleep(options.get("pause_s", 0))

    metadata = [("x-goog-api-key", options["token"])] if "token" in options else []
    async for response in await client.streaming_recognize(requests=requests(), metadata=metadata):
        show(response)


def main(address: str, kind: str, path: str, given: str = "{}") -> None:
    options = json.loads(given)
    try:
        if kind == "async":
            asyncio.run(live_async(address, path, options))
        else:
            (recognize if kind == "recording" else live)(address, path, options)
    except GoogleAPICallError as error:
        print(json.dumps({"error": type(error).__name__, "message": error.message}))


main(*sys.argv[1:])
