"""Transcribe live with Google's client: `google_speech.py HOST:PORT RECORDING.WAV`.

A token for the server is in the environment variable `STREAMER_TOKEN`.
"""

import os
import sys
import time
import wave
from collections.abc import Iterator

PACKAGE = "google-cloud-speech"
try:
    import grpc
    from google.api_core.exceptions import GoogleAPICallError
    from google.cloud import speech
    from google.cloud.speech_v1.services.speech.transports import SpeechGrpcTransport
except ImportError:
    sys.exit(f"this script needs {PACKAGE}: {sys.executable} -m pip install {PACKAGE}")
if len(sys.argv) != 3:
    sys.exit("usage: google_speech.py HOST:PORT RECORDING.WAV")


class Token(grpc.StreamStreamClientInterceptor):
    """Shows a token: `streaming_recognize` of the client passes no metadata on."""

    def intercept_stream_stream(self, call, details, requests):
        token = ("authorization", f"Bearer {os.environ['STREAMER_TOKEN']}")
        metadata = [*(details.metadata or ()), token]
        return call(details._replace(metadata=metadata), requests)


def audio(recording: wave.Wave_read) -> Iterator[speech.StreamingRecognizeRequest]:
    """Send 100 ms at a time, as fast as the microphone would."""
    while samples := recording.readframes(recording.getframerate() // 10):
        yield speech.StreamingRecognizeRequest(audio_content=samples)
        time.sleep(0.1)


def main(address: str, path: str) -> None:
    channel = grpc.insecure_channel(address)
    if "STREAMER_TOKEN" in os.environ:
        channel = grpc.intercept_channel(channel, Token())
    client = speech.SpeechClient(transport=SpeechGrpcTransport(channel=channel))
    with wave.open(path) as recording:  # 16 bits, mono
        config = speech.RecognitionConfig(
            encoding=speech.RecognitionConfig.AudioEncoding.LINEAR16,
            sample_rate_hertz=recording.getframerate(),
            language_code="en-US",
            enable_automatic_punctuation=True,
        )
        streaming = speech.StreamingRecognitionConfig(config=config)
        for response in client.streaming_recognize(streaming, audio(recording), retry=None):
            for result in response.results:
                print(result.alternatives[0].transcript.strip(), flush=True)


try:
    main(*sys.argv[1:])
except (GoogleAPICallError, OSError, wave.Error) as error:  # full, wrong token, no such file …
    sys.exit(f"google_speech.py: {error}")
