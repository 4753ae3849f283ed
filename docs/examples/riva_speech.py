"""Transcribe live with NVIDIA's client: `riva_speech.py HOST:PORT RECORDING.WAV`.

A token for the server is in the environment variable `STREAMER_TOKEN`.
"""

import os
import sys

PACKAGE = "nvidia-riva-client"
try:
    import grpc
    import riva.client
except ImportError:
    sys.exit(f"this script needs {PACKAGE}: {sys.executable} -m pip install {PACKAGE}")
if len(sys.argv) != 3:
    sys.exit("usage: riva_speech.py HOST:PORT RECORDING.WAV")


def main(address: str, path: str) -> None:
    token = os.environ.get("STREAMER_TOKEN")
    metadata = [["authorization", f"Bearer {token}"]] if token else None
    service = riva.client.ASRService(riva.client.Auth(uri=address, metadata_args=metadata))
    config = riva.client.RecognitionConfig(
        encoding=riva.client.AudioEncoding.LINEAR_PCM,
        language_code="en-US",
        enable_automatic_punctuation=True,
    )
    riva.client.add_audio_file_specs_to_config(config, path)
    streaming = riva.client.StreamingRecognitionConfig(config=config, interim_results=False)
    delay = riva.client.sleep_audio_length  # as fast as the microphone would
    with riva.client.AudioChunkFileIterator(path, 1_600, delay) as chunks:
        responses = service.streaming_response_generator(chunks, streaming)
        riva.client.print_streaming(responses)


try:
    main(*sys.argv[1:])
except (grpc.RpcError, OSError) as error:  # full, wrong token, no such file …
    sys.exit(f"riva_speech.py: {error.details() if isinstance(error, grpc.RpcError) else error}")
