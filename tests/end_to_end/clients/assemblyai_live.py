"""The assemblyai package as it comes, live: prints each message as a line of JSON.

assemblyai_live.py http://127.0.0.1:8080 KEY recording.wav [option=value ...]
"""

import sys
import wave
from typing import Any

from assemblyai.streaming.v3 import (
    StreamingClient,
    StreamingClientOptions,
    StreamingEvents,
    StreamingParameters,
)


def show(_: StreamingClient, message: Any) -> None:
    print(message.model_dump_json(), flush=True)


def main(base: str, key: str, path: str, *given: str) -> None:
    host = base.replace("http", "ws", 1)
    failures = []
    # Seconds to connect in; one, by default, which a busy machine may not keep.
    options = StreamingClientOptions(api_key=key, api_host=host, connect_timeout=20)
    client = StreamingClient(options)
    for kind in ("Begin", "SpeechStarted", "Turn", "Termination"):
        client.on(StreamingEvents(kind), show)
    client.on(StreamingEvents.Error, lambda _, error: failures.append(f"{error.code} {error}"))
    with wave.open(path) as wav:
        parameters = dict(option.split("=", 1) for option in given)
        client.connect(StreamingParameters(sample_rate=wav.getframerate(), **parameters))
        while chunk := wav.readframes(wav.getframerate() // 20):
            client.stream(chunk)
    client.keep_alive()
    client.force_endpoint()
    client.disconnect(terminate=True)
    if failures:
        sys.exit("; ".join(failures))


main(*sys.argv[1:])
