"""What other people's programs send, written as their sources write it, and what they expect."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from streamer.weights.manifest import require
from tests.end_to_end.http.posting import analyzed, post
from tests.needed import program
from tools.harness.process import TIMEOUT_S, Reply, Server

FILE = require("moonshine-tiny-en") / "beckett.wav"
SOUND = FILE.read_bytes()
BOUNDARY = "----formdata-undici-0123456789"
TRANSCRIPTIONS = "/v1/audio/transcriptions"

Part = tuple[str, str | bytes]
"""The headers of a part, and its content."""


def text(name: str, value: str) -> Part:
    return f'Content-Disposition: form-data; name="{name}"', value


def send(server: Server, *parts: Part, path: str = TRANSCRIPTIONS, **headers: str) -> Reply:
    body = b"".join(
        f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode()
        + (content.encode() if isinstance(content, str) else content)
        + b"\r\n"
        for head, content in parts
    )
    body += f"--{BOUNDARY}--\r\n".encode()
    return post(server, path, body, f"multipart/form-data; boundary={BOUNDARY}", headers)


@pytest.fixture(scope="module")
def said(transcriber: Server) -> str:
    """What `/api/v1/analyze` makes of the file."""
    return " ".join(segment["text"] for segment in analyzed(transcriber, SOUND)["segments"])


PROGRAMS: Mapping[str, tuple[Part, ...]] = {
    "LibreChat": (
        (
            'Content-Disposition: form-data; name="file"; filename="audio.webm"\r\n'
            "Content-Type: audio/webm",
            SOUND,
        ),
        text("model", "whisper-1"),
        text("language", "en"),
    ),
    "n8n, a file without a name": (
        text("model", "whisper-1"),
        text("language", ""),
        text("temperature", "0.5"),
        ('Content-Disposition: form-data; name="file"\r\nContent-Type: audio/x-wav', SOUND),
    ),
    "Obsidian Whisper": (
        ('Content-Disposition: form-data; name="file"; filename="2026-11-28 18.00.webm"', SOUND),
        text("model", "whisper-1"),
        text("language", "en"),
        text("prompt", "Beckett\n…"),
    ),
    "Witsy": (
        ('Content-Disposition: form-data; name="file"; filename="audio.wav"', SOUND),
        text("model", "whisper-1"),
        text("language", ""),
    ),
    "Home Assistant, openai_stt": (
        (
            "Content-Type: audio/wav\r\n"
            'Content-Disposition: form-data; name="file"; filename="whisper_audio.wav"',
            SOUND,
        ),
        *(
            (
                "Content-Type: text/plain; charset=utf-8\r\n"
                f'Content-Disposition: form-data; name="{name}"',
                value,
            )
            for name, value in (
                ("model", "gpt-4o-mini-transcribe"),
                ("language", "en-US"),
                ("prompt", ""),
                ("temperature", "0"),
                ("response_format", "json"),
            )
        ),
    ),
    "Home Assistant, wyoming_openai": (
        text("vad_filter", "true"),
        text("model", "whisper-1"),
        text("response_format", "json"),
        ('Content-Disposition: form-data; name="file"; filename="recording.wav"', SOUND),
    ),
    "Open WebUI": (
        text("model", ""),
        text("language", "en"),
        (
            'Content-Disposition: form-data; name="file"; filename="1b9d6bcd.mp3"\r\n'
            "Content-Type: audio/mpeg",
            SOUND,
        ),
    ),
    "Pipecat": (
        text("model", "gpt-4o-transcribe"),
        text("language", "en"),
        text("response_format", "json"),
        text("include[]", "logprobs"),
        (
            'Content-Disposition: form-data; name="file"; filename="audio.wav"\r\n'
            "Content-Type: audio/wav",
            SOUND,
        ),
    ),
    "requests, with a name that is not ASCII": (
        text("model", "whisper-1"),
        (
            'Content-Disposition: form-data; name="file"; '
            "filename*=utf-8''b%C3%BCro%20%E2%82%AC.wav",
            SOUND,
        ),
    ),
    ".NET": (
        (
            "Content-Disposition: form-data; name=file; filename=a.wav; filename*=utf-8''a.wav",
            SOUND,
        ),
        (
            "Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name=model",
            "whisper-1",
        ),
    ),
    "a client of whisper.cpp": (
        ('Content-Disposition: form-data; name="file"; filename="a.wav"', SOUND),
        text("temperature", "0.0"),
        text("temperature_inc", "0.2"),
        text("no_timestamps", "false"),
        text("translate", "false"),
        text("response_format", "json"),
    ),
    "a client of faster-whisper-server": (
        ('Content-Disposition: form-data; name="file"; filename="a.wav"', SOUND),
        text("model", "whisper-1"),
        text("hotwords", "Beckett"),
        text("vad_filter", "true"),
        text("timestamp_granularities[]", "segment"),
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_get_the_text(transcriber: Server, said: str, name: str) -> None:
    reply = send(transcriber, *PROGRAMS[name], authorization="Bearer none")
    assert reply.status == 200, reply.text
    answer = reply.json()
    assert answer["text"] == said
    assert "warnings" not in answer


def test_the_vercel_ai_sdk(transcriber: Server, said: str) -> None:
    """Its schema wants every field of a segment, and its table the language's English name."""
    reply = send(
        transcriber,
        text("model", "whisper-1"),
        (
            'Content-Disposition: form-data; name="file"; filename="audio.wav"\r\n'
            "Content-Type: audio/wav",
            SOUND,
        ),
        text("response_format", "verbose_json"),
        text("include[]", "logprobs"),
        text("temperature", "0"),
        text("timestamp_granularities[]", "word"),
    )
    assert reply.status == 200, reply.text
    answer: dict[str, Any] = reply.json()
    assert (answer["text"], answer["language"], answer["task"]) == (said, "english", "transcribe")
    assert answer["duration"] == pytest.approx(9.963, abs=0.001)
    numbers = ("id", "seek", "start", "end", "temperature", "avg_logprob", "compression_ratio")
    for segment in answer["segments"]:
        assert all(isinstance(segment[name], int | float) for name in numbers)
        assert isinstance(segment["no_speech_prob"], int | float)
        assert isinstance(segment["text"], str)
        assert isinstance(segment["tokens"], list)


def test_n8n_translates(transcriber: Server, said: str) -> None:
    parts = (
        text("model", "whisper-1"),
        text("temperature", "0.3"),
        ('Content-Disposition: form-data; name="file"; filename="a.wav"', SOUND),
    )
    reply = send(transcriber, *parts, path="/v1/audio/translations")
    assert reply.status == 200, reply.text
    assert reply.json()["text"] == said


NODE = """
import {readFileSync} from "node:fs";
const form = new FormData();
const sound = readFileSync(process.argv[1]);
form.append("file", new File([sound], 'the "best" of büro.wav', {type: "audio/wav"}));
for (const [name, value] of JSON.parse(process.argv[3])) form.append(name, value);
const answer = await fetch(process.argv[2], {method: "POST", body: form});
console.log(JSON.stringify({status: answer.status, body: await answer.json()}));
"""


def test_node_sends_what_browsers_and_the_node_packages_send(
    transcriber: Server, said: str
) -> None:
    """The `openai` package writes objects in brackets, and lists with them."""
    fields = [
        ("model", "whisper-1"),
        ("response_format", "verbose_json"),
        ("chunking_strategy[type]", "server_vad"),
        ("chunking_strategy[silence_duration_ms]", "3000"),
        ("timestamp_granularities[]", "segment"),
        ("language", "undefined"),
    ]
    url = f"http://127.0.0.1:{transcriber.port}{TRANSCRIPTIONS}"
    command = [program("node", "nodejs"), "--input-type=module", "-e", NODE]
    ran = subprocess.run(
        [*command, str(FILE), url, json.dumps(fields)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout)
    assert answer["status"] == 200, answer
    assert len(answer["body"]["segments"]) == 1
    assert len(answer["body"]["text"]) > len(said) // 2


def test_curl(transcriber: Server, said: str, tmp_path: Path) -> None:
    (tmp_path / "größe; name=x.wav").write_bytes(SOUND)
    command = ["curl", "-sS", "-F", 'file=@"größe; name=x.wav"', "-F", "model=whisper-1"]
    url = f"http://127.0.0.1:{transcriber.port}{TRANSCRIPTIONS}"
    ran = subprocess.run(
        [*command, "-F", "language=", "--noproxy", "*", url],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["text"] == said
