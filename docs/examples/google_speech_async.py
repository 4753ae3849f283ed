"""Transcribe live with Google's client for asyncio.

`google_speech_async.py HOST:PORT RECORDING.WAV`; a token for the server is in the environment
variable `STREAMER_TOKEN`.
"""

import asyncio
import os
import sys
import wave
from collections.abc import AsyncIterator

PACKAGE = "google-cloud-speech"
try:
    import grpc
    from google.api_core.exceptions import GoogleAPICallError
    from google.cloud import speech
    from google.cloud.speech_v1.services.speech.transports import SpeechGrpcAsyncIOTransport
except ImportError:
    sys.exit(f"this script needs {PACKAGE}: {sys.executable} -m pip install {PACKAGE}")
if len(sys.argv) != 3:
    sys.exit("usage: google_speech_async.py HOST:PORT RECORDING.WAV")


async def requests(recording: wave.Wave_read) -> AsyncIterator[speech.StreamingRecognizeRequest]:
    """Send the settings, then 100 ms at a time, as fast as the microphone would."""
    config = speech.RecognitionConfig(
        encoding=speech.RecognitionConfig.AudioEncoding.LINEAR16,
        sample_rate_hertz=recording.getframerate(),
        language_code="en-US",
        enable_automatic_punctuation=True,
    )
    streaming = speech.StreamingRecognitionConfig(config=config, interim_results=True)
    yield speech.StreamingRecognizeRequest(streaming_config=streaming)
    while samples := recording.readframes(recording.getframerate() // 10):
        yield speech.StreamingRecognizeRequest(audio_content=samples)
        await asyncio.sleep(0.1)


async def main(address: str, path: str) -> None:
    channel = grpc.aio.insecure_channel(address)
    client = speech.SpeechAsyncClient(transport=SpeechGrpcAsyncIOTransport(channel=channel))
    token = os.environ.get("STREAMER_TOKEN")
    metadata = [("authorization", f"Bearer {token}")] if token else []
    with wave.open(path) as recording:  # 16 bits, mono
        call = client.streaming_recognize(
            requests=requests(recording), metadata=metadata, retry=None
        )
        async for response in await call:
            for result in response.results:
                ending = "\n" if result.is_final else " …\n"
                print(result.alternatives[0].transcript.strip(), end=ending, flush=True)


try:
    asyncio.run(main(*sys.argv[1:]))
except (GoogleAPICallError, OSError, wave.Error) as error:  # full, wrong token, no such file …
    sys.exit(f"google_speech_async.py: {error}")
