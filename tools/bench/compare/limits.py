"""A server with tokens and small limits: who may do what, for how long, and how much.

A wrong token in a header or a subprotocol is left out: one version refuses it before the socket is
accepted, the other after that.
"""

import json
import signal
from collections.abc import Callable, Mapping
from contextlib import closing, suppress

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tools.bench.compare.answers import Answer, stream_answer
from tools.bench.compare.message_scripts import AUDIO, BEGIN, FLUSH, STOP_ONLY, Script, start
from tools.bench.compare.players import STOP, exchange, request
from tools.bench.compare.wrong_requests import HttpRequest
from tools.harness.process import TIMEOUT_S, Server

TOKEN = "correct-horse"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
WITH_TOKEN = start(token=TOKEN)

CONFIG: Mapping[str, object] = {
    "model": {"type": "standin"},
    "inference": {"workers": 1},
    "access": {"tokens": [TOKEN]},
    "limits": {
        "max_sessions": 3,
        "max_message_bytes": 4_096,
        "max_text_bytes": 256,
        "start_seconds": 1,
        "idle_seconds": 2,
        "max_session_seconds": 4,
        "max_upload_bytes": 100_000,
        "max_recording_seconds": 2,
        "max_audio_seconds": 1,
        "drain_seconds": 2,
    },
}

SCRIPTS: Mapping[str, Script] = {
    "no token": Script((BEGIN, STOP)),
    "a wrong token in start": Script((start(token="wrong"), STOP)),
    "audio before the token": Script((AUDIO, WITH_TOKEN, STOP)),
    "text before the token": Script(("not JSON", WITH_TOKEN, STOP)),
    "the token in start": Script((WITH_TOKEN, AUDIO, STOP)),
    "the token once": Script((WITH_TOKEN, STOP_ONLY, BEGIN, STOP)),
    "the token in the header": Script((BEGIN, AUDIO, STOP), headers=BEARER),
    "the token in a subprotocol": Script(
        (BEGIN, AUDIO, STOP), subprotocols=("streamer.v1", f"token.{TOKEN}")
    ),
    "nothing is sent": Script((), headers=BEARER),
    "nothing after start": Script((BEGIN, AUDIO), headers=BEARER),
    "nothing after stop": Script((BEGIN, AUDIO, STOP_ONLY), headers=BEARER),
    "too large": Script((BEGIN, AUDIO, bytes(4_097), STOP), headers=BEARER),
    "a text that is too large": Script((BEGIN, " " * 257, STOP), headers=BEARER),
    "flush at the limits": Script((BEGIN, bytes(4_096), FLUSH, STOP), "simple", headers=BEARER),
}


def requests() -> dict[str, HttpRequest]:
    """Requests with and without the token, of recordings at the limits."""
    pcm = "/api/v1/analyze?sample_rate=16000"
    window = "/analyze_pcm_s16le"
    octets = {"Content-Type": "application/octet-stream"}
    wrong = {"Authorization": "Bearer wrong"}
    return {
        "no token": HttpRequest("POST", pcm, bytes(32_000)),
        "a wrong token": HttpRequest("POST", pcm, bytes(32_000), wrong),
        "another scheme": HttpRequest("POST", pcm, bytes(32_000), {"Authorization": "Basic eA=="}),
        "the token": HttpRequest("POST", pcm, bytes(32_000), BEARER),
        "too long": HttpRequest("POST", pcm, bytes(64_002), BEARER),
        "too long as a whole": HttpRequest("POST", f"{pcm}&vad=false", bytes(32_002), BEARER),
        "too large": HttpRequest("POST", pcm, bytes(100_001), BEARER),
        "a window that is too long": HttpRequest("POST", window, bytes(32_002), BEARER | octets),
        "a window without a token": HttpRequest("POST", window, bytes(32_000), octets),
        "models without a token": HttpRequest("GET", "/v1/models"),
        "models with the token": HttpRequest("GET", "/v1/models", None, BEARER),
        "health without a token": HttpRequest("GET", "/health"),
        "info without a token": HttpRequest("GET", "/api/v1/info"),
        "a ticket": HttpRequest("POST", "/api/v1/ticket", b"", BEARER),
        "a ticket without a token": HttpRequest("POST", "/api/v1/ticket", b""),
    }


def longest_session(port: int) -> Answer:
    """Silence in real time, until the session is older than `limits.max_session_seconds`."""
    with closing(_opened(port)) as connection:
        connection.send(BEGIN)
        frames: list[str] = []
        with suppress(ConnectionClosed):
            while True:
                connection.send(AUDIO)
                with suppress(TimeoutError):
                    while True:
                        frames.append(str(connection.recv(0.1)))
        closed = f"{connection.close_code} {connection.close_reason}"
    # How much audio was taken until then depends on the clock.
    timeless = [frame for frame in frames if json.loads(frame)["type"] != "stopped"]
    return stream_answer(timeless, closed)


def no_room(port: int) -> Answer:
    """One more than `limits.max_sessions`, on a socket and in a request."""
    held = [_opened(port) for _ in range(3)]
    try:
        refused = exchange(port, "segmented", [BEGIN, STOP], BEARER)
        ready = request(port, "GET", "/api/v1/ready")
    finally:
        for connection in held:
            connection.close()
    return Answer({**refused.parts, **{f"ready: {k}": v for k, v in ready.parts.items()}})


def end(server: Server) -> Answer:
    """SIGTERM with an open stream, and the exit code."""
    with closing(_opened(server.port)) as connection:
        connection.send(BEGIN)
        frames = [str(connection.recv(TIMEOUT_S))]
        server.send_signal(signal.SIGTERM)
        with suppress(ConnectionClosed):
            while True:
                frames.append(str(connection.recv(TIMEOUT_S)))
        closed = f"{connection.close_code} {connection.close_reason}"
    code = server.process.wait(TIMEOUT_S)
    return Answer({**stream_answer(frames, closed).parts, "exit code": (str(code),)})


def _opened(port: int) -> ClientConnection:
    return connect(
        f"ws://127.0.0.1:{port}/api/v1/segmented",
        additional_headers=BEARER,
        compression=None,
        proxy=None,
        max_queue=None,
    )


SITUATIONS: Mapping[str, Callable[[int], Answer]] = {
    "the longest session": longest_session,
    "no room": no_room,
}
