"""OpenAI's own packages, unchanged but for the address, and the example of the documentation."""

import asyncio
import base64
import json
import os
import subprocess
import sys
import warnings
from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import Any

import pytest
import soundfile
import soxr
from openai import AsyncOpenAI

from tests.end_to_end.certificates import self_signed
from tests.end_to_end.conftest import _for_the_session
from tests.end_to_end.realtime.realtime_socket import COMPLETED, DELTA, named, texts
from tests.web.tools import TOOLS, node
from tools.harness.json_socket import Event
from tools.harness.process import TIMEOUT_S, Server
from tools.harness.sounds import BECKETT, Audio, beckett, encode, recording, word_error_rate
from tools.harness.streams import stream_audio, transcript

HERE = Path(__file__).parent
ROOT = HERE.parents[2]

MOST_ERRORS = 0.35
"""Word error rate; the recording has twelve words, of which the model confuses two."""

PIECE_BYTES = 4_800


def at_24_khz() -> Audio:
    samples, rate = recording("beckett.wav")
    return encode(soxr.resample(samples, rate, 24_000), 24_000)


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Server, Path]]:
    """A server with a certificate: the package for JavaScript connects to no other."""
    folder = tmp_path_factory.mktemp("secure")
    certificate, key = self_signed(folder)
    tls = {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}
    for server in _for_the_session(folder, {"server": tls, "access": {"tokens": ["a-token"]}}):
        yield server, certificate


def client_of(server: Server) -> AsyncOpenAI:
    address = f"//127.0.0.1:{server.port}/v1"
    return AsyncOpenAI(  # the beta's sockets are wss:// without the third
        base_url=f"http:{address}", api_key="any-key", websocket_base_url=f"ws:{address}"
    )


async def append(connection: Any, audio: bytes) -> None:
    for first in range(0, len(audio), PIECE_BYTES):
        piece = base64.b64encode(audio[first : first + PIECE_BYTES]).decode()
        await connection.input_audio_buffer.append(audio=piece)


async def events_of(connection: Any, count: int) -> AsyncIterator[Any]:
    """The events up to this number of transcripts."""
    async with asyncio.timeout(TIMEOUT_S):
        while count:
            event = await connection.recv()
            assert event.type != "error", event
            count -= event.type == COMPLETED
            yield event


async def test_python_with_turn_detection(transcriber: Server) -> None:
    audio = beckett()
    ours = transcript(await stream_audio(transcriber, audio))
    async with client_of(transcriber) as client:
        query = {"intent": "transcription"}
        async with client.realtime.connect(extra_query=query) as connection:
            detection = {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 550}
            audio_input = {
                "format": {"type": "audio/pcm", "rate": 16_000},
                "transcription": {"model": "gpt-4o-mini-transcribe", "language": "en"},
                "noise_reduction": {"type": "near_field"},
                "turn_detection": detection,
            }
            session: Any = {"type": "transcription", "audio": {"input": audio_input}}
            await connection.session.update(session=session)
            await append(connection, audio.data + bytes(32_000))
            events = [event async for event in events_of(connection, 6)]
    assert [event.type for event in events[:2]] == ["session.created", "session.updated"]
    assert events[1].session.audio.input.turn_detection.silence_duration_ms == 550
    finals = [event for event in events if event.type == COMPLETED]
    assert " ".join(event.transcript for event in finals) == ours
    assert finals[0].usage.type == "duration"
    committed = [event for event in events if event.type == "input_audio_buffer.committed"]
    assert [event.previous_item_id for event in committed[1:]] == [
        event.item_id for event in committed[:-1]
    ]


async def test_python_of_the_beta(transcriber: Server) -> None:
    audio = at_24_khz()
    async with client_of(transcriber) as client:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = await client.beta.realtime.transcription_sessions.create(
                input_audio_format="pcm16", turn_detection={}
            )
        assert made.client_secret.value.startswith("ek_")
        query = {"intent": "transcription"}
        connecting = client.beta.realtime.connect(model="gpt-4o-transcribe", extra_query=query)
        async with connecting as connection:
            session: Any = {
                "input_audio_format": "pcm16",
                "input_audio_transcription": {"model": "gpt-4o-transcribe"},
                "turn_detection": None,
            }
            await connection.transcription_session.update(session=session)
            await append(connection, audio.data)
            await connection.input_audio_buffer.commit()
            events = [event async for event in events_of(connection, 1)]
    kinds = [event.type for event in events]
    assert kinds[:2] == ["transcription_session.created", "transcription_session.updated"]
    assert events[1].session.input_audio_format == "pcm16"
    assert "conversation.item.created" in kinds
    assert "conversation.item.added" not in kinds
    assert word_error_rate(BECKETT, events[-1].transcript) < MOST_ERRORS


@pytest.mark.parametrize("kind", ["node", "browser"])
def test_javascript(secure: tuple[Server, Path], tmp_path: Path, kind: str) -> None:
    server, certificate = secure
    sound = tmp_path / "sound.pcm"
    sound.write_bytes(at_24_khz().data)
    address = f"https://localhost:{server.port}/v1"
    program = [node(), "--no-warnings", str(HERE / "openai_realtime.cjs")]
    done = subprocess.run(
        [*program, address, "a-token", str(sound), kind],
        env={**os.environ, "NODE_PATH": str(TOOLS), "NODE_EXTRA_CA_CERTS": str(certificate)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    events: list[Event] = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["type"] == "session.created"
    assert events[-1]["type"] == COMPLETED
    assert word_error_rate(BECKETT, *texts(events)) < MOST_ERRORS
    live = "".join(event["delta"] for event in named(events, DELTA))
    assert word_error_rate(texts(events)[0], live) < MOST_ERRORS


def test_the_example_of_the_documentation(transcriber: Server, tmp_path: Path) -> None:
    samples, rate = recording("beckett.wav")
    file = tmp_path / "short.wav"
    soundfile.write(file, samples[: 3 * rate], rate, "PCM_16")
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs/examples/openai_realtime.py"), str(file)],
        env={
            **os.environ,
            "OPENAI_BASE_URL": f"http://127.0.0.1:{transcriber.port}/v1",
            "OPENAI_API_KEY": "any-key",
        },
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    live, whole = done.stdout.splitlines()
    assert whole == "Ever tried. Ever failed."
    assert word_error_rate(whole, live) < MOST_ERRORS
