"""Operators see who speaks which protocol: in metrics, the log, traces, and `/api/v1/info`."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import get_args

import pytest

from streamer.config.dialect_names import AddedDialect
from tests.end_to_end.clients.assemblyai_socket import session
from tests.end_to_end.clients.deepgram_socket import described, listening
from tests.end_to_end.clients.vosk_socket import EOF, recognizer
from tests.end_to_end.conftest import Launch
from tests.end_to_end.realtime.realtime_socket import COMPLETED, realtime
from tests.end_to_end.telemetry.receiver import http_receiver
from tests.end_to_end.telemetry.test_tracing import env_for
from tests.end_to_end.wyoming.wyoming_socket import connected, with_port
from tools.harness.process import Server, wait_until
from tools.harness.sounds import Audio, beckett
from tools.harness.streams import stream_audio

SHORT = Audio(beckett().part(0, 1.5))

PATHS: Mapping[str, str] = {
    "native": "/api/v1/segmented",
    "deepgram": "/v1/listen",
    "flux": "/v2/listen",
    "realtime": "/v1/realtime",
    "assemblyai": "/v3/ws",
    "vosk": "/vosk",
    "wyoming": "wyoming",
}
"""Of each protocol, as traces have it."""


async def speak(server: Server, dialect: str) -> None:
    """One stream in this protocol."""
    match dialect:
        case "native":
            await stream_audio(server, SHORT)
        case "deepgram" | "flux":
            async with listening(server, described(SHORT), path=PATHS[dialect]) as socket:
                await socket.send(SHORT.data)
                await socket.control("CloseStream")
                await socket.events_until_close()
        case "realtime":
            async with realtime(server) as openai:
                await openai.use(SHORT, turn_detection=None)
                await openai.append(SHORT.data)
                await openai.request("input_audio_buffer.commit")
                await openai.events_until(COMPLETED)
        case "assemblyai":
            async with session(server, {"sample_rate": "16000"}) as assemblyai:
                await assemblyai.send(SHORT.data)
                await assemblyai.control("Terminate")
                await assemblyai.until_close()
        case "vosk":
            async with recognizer(server) as vosk:
                await vosk.ask(SHORT.data)
                await vosk.ask(EOF)
        case _:
            async with connected(server) as wyoming:
                await wyoming.command(SHORT)
                await wyoming.until("transcript-stop")


async def test_every_protocol_has_its_name_everywhere(launch: Launch) -> None:
    with http_receiver() as (receiver, endpoint):
        config = with_port({"model": {"type": "standin"}})
        server = launch(config, env=env_for(endpoint, OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf"))
        for dialect in PATHS:
            await speak(server, dialect)

        def traced() -> dict[str, object]:
            sessions = [span for span in [*receiver.spans] if span.name == "session"]
            found = ((s.attributes["streamer.dialect"], s.attributes["url.path"]) for s in sessions)
            return dict(found)

        await asyncio.to_thread(wait_until, lambda: traced() == PATHS, "all sessions are traced")
    metrics = server.get("/metrics").text.splitlines()
    lines = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
    ends = ("stream ended", "stream broken off")  # no message of OpenAI's ends one
    ended = [line["dialect"] for line in lines if line["message"] in ends]
    assert sorted(ended) == sorted(PATHS)
    for dialect in PATHS:
        for name in ("sessions", "streams"):
            labels = f'dialect="{dialect}",route="segmented"'
            assert f"streamer_{name}_total{{{labels}}} 1.0" in metrics
    info = server.get("/api/v1/info").json()
    assert {*PATHS} <= {*info["dialects"]}
    for dialect in get_args(AddedDialect):
        assert PATHS[dialect] in info["dialects"][dialect]


def test_the_languages_of_a_model_are_shown(transcriber: Server, standin: Server) -> None:
    (ours,) = transcriber.get("/api/v1/info").json()["models"]
    (own,) = standin.get("/api/v1/info").json()["models"]
    assert (ours["languages"], own["languages"]) == (["en"], [])


@pytest.mark.parametrize(
    ("dialect", "requests"),
    [
        ("deepgram", ["POST /v1/listen", "POST /v1/auth/grant"]),
        (
            "realtime",
            ["POST /v1/realtime/client_secrets", "POST /v1/realtime/transcription_sessions"],
        ),
        ("assemblyai", ["GET /v3/token?expires_in_seconds=60"]),
    ],
)
def test_what_belongs_to_a_protocol_is_off_with_it(
    launch: Launch, dialect: str, requests: list[str]
) -> None:
    others = [name for name in get_args(AddedDialect) if name != dialect]
    server = launch({"model": {"type": "standin"}, "server": {"dialects": others}})
    assert dialect not in server.get("/api/v1/info").json()["dialects"]
    for request in requests:
        method, path = request.split()
        asked = urllib.request.Request(
            f"http://127.0.0.1:{server.port}{path}", b"{}" if method == "POST" else None
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(asked)
        with refused.value:
            assert refused.value.code == 404
