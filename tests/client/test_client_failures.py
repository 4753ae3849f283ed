"""What people can do wrong, and what can go wrong on them: one line each, and its exit code."""

from __future__ import annotations

import json
import shlex
import socket
import struct
import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from tests.recordings.makers import encoded

if TYPE_CHECKING:
    from pathlib import Path

    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

    from tests.client.conftest import Peer, RunCommand, ServeScript
    from tests.end_to_end.conftest import Launch

NOWHERE = "ws://127.0.0.1:1/api/v1/segmented"


def shorten(path: Path, by_bytes: int) -> None:
    path.write_bytes(path.read_bytes()[:-by_bytes])


def content(path: Path) -> bytes:
    return path.read_bytes()


async def answer(peer: Peer) -> None:
    await peer.begin()
    await peer.read_to_stop()
    await peer.finish()


async def test_the_recording_is_not_overwritten(run_command: RunCommand, speech: Path) -> None:
    before = content(speech)
    result = await run_command("-i", speech, "-o", speech, "-a", NOWHERE)
    assert result.code == 2
    assert "is the recording itself" in result.err
    assert content(speech) == before


async def test_no_server(run_command: RunCommand, speech: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"ws://127.0.0.1:{taken.getsockname()[1]}/api/v1/segmented"
        result = await run_command("-i", speech, "-a", address)
    assert (result.code, result.err) == (
        3,
        f"streamer-client: no server is listening at {address}; "
        "start a server with 'make run' or give its address with -a\n",
    )


async def test_no_answer_in_time(run_command: RunCommand, speech: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"ws://127.0.0.1:{silent.getsockname()[1]}/"
        result = await run_command("-i", speech, "-a", address, "--timeout", "0.3")
    assert result.code == 3
    assert result.err.startswith(f"streamer-client: no answer from {address} within 0.3 s; ")


async def test_the_servers_reason_for_having_no_room(
    serve_script: ServeScript, run_command: RunCommand, speech: Path
) -> None:
    def gate(connection: ServerConnection, request: Request) -> Response:
        body = {"ok": False, "error": {"code": "overloaded", "message": "one is \x1b the limit"}}
        return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, json.dumps(body))

    server = await serve_script(answer, gate)
    result = await run_command("-i", speech, "-a", f"ws://127.0.0.1:{server.port}/api/v1/simple")
    assert "another stream now (HTTP 503): one is   the limit; try again in a while" in result.err


@pytest.mark.parametrize(
    ("status", "path", "code", "says"),
    [
        (404, "/nope", 3, "/api/v1/segmented or ws://127.0.0.1:"),
        (403, "/nope", 3, "has no stream at"),
        (403, "/api/v1/simple", 4, "if it requires a token, give one with --token"),
        (401, "/api/v1/segmented", 4, "requires a token: give one with --token"),
        (503, "/api/v1/segmented", 3, "cannot take another stream now (HTTP 503); try again in 7"),
        (502, "/api/v1/segmented", 3, "is a proxy that reached no server (HTTP 502); try again"),
    ],
)  # fmt: skip
async def test_refused_before_the_upgrade(
    serve_script: ServeScript, run_command: RunCommand, speech: Path,
    status: int, path: str, code: int, says: str,
) -> None:  # fmt: skip
    def gate(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(HTTPStatus(status), "no")
        response.headers["Retry-After"] = "7"
        return response

    server = await serve_script(answer, gate)
    result = await run_command("-i", speech, "-a", f"ws://127.0.0.1:{server.port}{path}")
    assert result.code == code
    assert says in result.err
    assert result.err.count("\n") == 1


async def test_a_refused_token(
    serve_script: ServeScript, run_command: RunCommand, speech: Path
) -> None:
    async def script(peer: Peer) -> None:
        await peer.read_start()
        await peer.send("error", code="unauthorized", message="unknown token", fatal=True)
        await peer.connection.close(1008)

    server = await serve_script(script)
    result = await run_command("-i", speech, "-a", server.url, "--token", "wrong")
    assert (result.code, result.err) == (
        4,
        "streamer-client: the server did not admit this client: unknown token; "
        "give another with --token or in STREAMER_TOKEN\n",
    )


async def test_settings_the_server_does_not_accept(
    serve_script: ServeScript, run_command: RunCommand, speech: Path
) -> None:
    async def script(peer: Peer) -> None:
        await peer.read_start()
        await peer.send("error", code="bad_message", message="vad.threshold: 7 > 1", fatal=False)
        await peer.connection.wait_closed()

    server = await serve_script(script)
    result = await run_command("-i", speech, "-a", server.url, "--vad", "threshold=7")
    assert (result.code, result.err) == (
        4,
        "streamer-client: the server did not accept the stream: "
        "bad_message: vad.threshold: 7 > 1\n",
    )


@pytest.mark.parametrize(
    ("close_code", "says"),
    [
        (1011, "the server failed (1011); 0."),
        (None, "the connection was lost without a closing frame (1006); 0."),
        (1000, "the server closed the connection (1000) before the end of the stream; 0."),
        (1013, "the server is overloaded: the server has no room for this stream; try again later"),
        (1009, "a message was too large for the server; give a smaller --chunk-size"),
        (1008, "the server ended the stream: policy: the server's policy ended the stream"),
    ],
)
async def test_the_stream_ends_too_early(
    serve_script: ServeScript, run_command: RunCommand, speech: Path,
    close_code: int | None, says: str,
) -> None:  # fmt: skip
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.read_audio()
        if close_code is None:
            peer.connection.transport.abort()
        else:
            await peer.segment(0.0, 0.1, text="before")
            await peer.connection.close(close_code)

    server = await serve_script(script)
    result = await run_command("-i", speech, "-a", server.url)
    assert result.code == 5
    assert result.last_line.startswith(f"streamer-client: {says}")
    if close_code is not None:
        assert result.out == "[00:00.0 → 00:00.1] before\n"


async def test_a_fatal_error_event(
    serve_script: ServeScript, run_command: RunCommand, speech: Path
) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.send("error", code="internal_error", message="trace 4bf9", fatal=True)
        await peer.connection.close(1011)

    server = await serve_script(script)
    result = await run_command("-i", speech, "-a", server.url)
    assert result.code == 5
    assert result.last_line == (
        "streamer-client: the server ended the stream: internal_error: trace 4bf9"
    )


async def test_going_away_tells_what_was_not_sent(
    serve_script: ServeScript, run_command: RunCommand, speech: Path
) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.read_audio(3200)
        await peer.go_away()

    server = await serve_script(script)
    result = await run_command("-i", speech, "-a", server.url, "--real-time")
    assert result.code == 5
    assert "going away: restarting" in result.err
    assert "before" in result.out
    assert result.last_line == ("streamer-client: restarting; 0.4 s of 0.5 s of audio were unsent")


async def test_errors_on_the_way(
    serve_script: ServeScript, run_command: RunCommand, speech: Path
) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        times: dict[str, Any] = {"start_time": 0.0, "end_time": 0.2, "channel": 0}
        await peer.send("error", code="inference_failed", message="boom", fatal=False, **times)
        await peer.read_to_stop()
        await peer.segment(0.2, 0.4, text="the rest")
        await peer.finish()

    server = await serve_script(script)
    result = await run_command("-i", speech, "-a", server.url)
    assert result.code == 6
    assert "error inference_failed at [00:00.0 → 00:00.2]: boom\n" in result.err
    assert result.last_line == (
        "streamer-client: the server reported an error; parts may be missing"
    )
    assert result.out == "[00:00.2 → 00:00.4] the rest\n"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("speech.pcm", bytes(range(256)) * 40, " is not an audio file with a header; raw PCM: CMD"),
        ("speech.RAW", bytes(8000), " is not an audio file with a header; raw PCM: CMD"),
        ("speech.bin", bytes(range(256)) * 40, "recording.wav; if it is raw PCM: CMD"),
        ("my speech", bytes(8000), "recording.wav; if it is raw PCM: CMD"),
        ("speech.txt", b"to be or not to be" * 99, "ffmpeg -i FILE recording.wav"),
        ("page.raw", b"<!doctype html><title>404</title>", "ffmpeg -i FILE recording.wav"),
    ],
)
async def test_bytes_that_may_be_raw_pcm_lead_to_the_command_for_it(
    run_command: RunCommand, tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    result = await run_command(path, "-a", NOWHERE)
    assert result.code == 2
    command = f"streamer-client - --rate HZ < {shlex.quote(str(path))}"
    assert result.err.endswith(says.replace("CMD", command) + "\n")
    assert result.err.startswith(f"streamer-client: {path} is not an audio file")


@pytest.mark.parametrize("content", ["empty", "text", "cut", "silent", "missing", "directory"])
async def test_bad_input_files(run_command: RunCommand, tmp_path: Path, content: str) -> None:
    path = tmp_path / content
    header = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    says = {
        "empty": "is empty",
        "text": "is not an audio file but text; allowed: WAV, ",
        "cut": "the WAV file is damaged or not complete: the samples are missing",
        "silent": "the WAV file holds no audio",
        "missing": "does not exist",
        "directory": "is a directory",
    }
    contents = {
        "empty": b"",
        "text": b"to be or not to be" * 99,
        "cut": header,
        "silent": header + b"data\0\0\0\0",
    }
    if content in contents:
        path.write_bytes(contents[content])
    elif content == "directory":
        path.mkdir()
    result = await run_command("-i", path, "-a", NOWHERE)
    assert result.code == 2
    assert result.err.startswith(f"streamer-client: {path}")
    assert says[content] in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ("", "there is nothing to send: give a recording (streamer-client FILE), standard"),
        ("a.wav b.wav", "one recording at a time: 'a.wav' and 'b.wav' are given; for several"),
        ("a.wav -v b.wav", "one recording at a time: 'a.wav' and 'b.wav' are given; for several"),
        ("a.wav -i b.wav", "one recording at a time: 'a.wav' and 'b.wav' are given; for several"),
        ("a.wav --mic", "'a.wav' and --mic are given: leave out one of them"),
        ("--reconnect a.wav", "if it is the recording: streamer-client a.wav --reconnect"),
        ("-i x --chunk-size 0", "'0' is not a whole number of at least 1"),
        ("-i x --chunk-size 2.5", "'2.5' is not a whole number of at least 1"),
        ("-i x --vad threshold", "'threshold' is not KEY=NUMBER"),
        ("-i x --vad threshold=high", "'threshold=high' is not KEY=NUMBER"),
        ("-i x --timeout 0", "'0' is not a number of seconds above 0"),
        ("-i x --output pdf", "there is no 'pdf'; allowed: text, json, jsonl, srt, vtt"),
        ("-i x --rate 8000", "--rate is only for raw audio"),
        ("-i - --bit-depth 16 --float", "--float needs --bit-depth 32 or 64"),
        ("--mic --bit-depth 24", "--mic records 16-bit integers"),
        ("-i - --bit-depth 64", "--bit-depth 64 needs --float"),
        ("-i x -o /no/such/place/a.srt", "there is no directory /no/such/place"),
        ("-i x -o /", "it is a directory"),
        (
            "x -o a.doc",
            "the ending of a.doc is not one of .srt, .vtt, .json, .jsonl, .txt: use one",
        ),
        ("x -o talk.2026", "or give the format with --output"),
        ("-i x -a http://localhost:8080/", "did you mean ws://localhost:8080/api/v1/segmented?"),
        ("-i x -a localhost:8080", "did you mean ws://localhost:8080/api/v1/segmented?"),
        ("x -a 10.0.0.7", "did you mean ws://10.0.0.7/api/v1/segmented?"),
        ("x -a example.com:80/", "did you mean ws://example.com:80/api/v1/segmented?"),
        ("x -a example.com/speech/api/v1/simple", "ws://example.com/speech/api/v1/simple?"),
        ("x -a ftp://example.com/", "give one like ws://localhost:8080/api/v1/segmented"),
        ("x -a 8080", "did you mean ws://localhost:8080/api/v1/segmented?"),
        ("x -a :9000", "did you mean ws://localhost:9000/api/v1/segmented?"),
        ("-i x --token \x01", "the token has characters"),
        ("-i x --nope", "there is no option --nope (see"),
        ("x --interim", "there is no option --interim; did you mean --interim-results?"),
        ("x --ouput=srt", "there is no option --ouput; did you mean --output?"),
        ("--ouput srt x", "there is no option --ouput; did you mean --output?"),
        (
            "x --vad-threshold 0.4",
            "there is no option --vad-threshold; did you mean --vad threshold=0.6?",
        ),
        ("x --format srt", "there is no option --format; did you mean --output?"),
        ("x -port 9000", "there is no option -port; did you mean --addr?"),
        ("x --url ws://localhost", "there is no option --url; did you mean --addr?"),
        ("-n 5", "there is no option -n (see"),
    ],
)
async def test_bad_flags(run_command: RunCommand, flags: str, says: str) -> None:
    result = await run_command(*flags.split(" ") if flags else [])
    assert result.code == 2
    assert result.err.startswith("streamer-client: ")
    assert says in result.err
    assert result.err.count("\n") == 1


async def test_tls_where_there_is_none(
    serve_script: ServeScript, run_command: RunCommand, speech: Path, launch: Launch
) -> None:
    script, server = await serve_script(answer), launch({"model": {"type": "standin"}})
    for url in (script.url, f"ws://127.0.0.1:{server.port}/api/v1/segmented"):
        result = await run_command(speech, "-a", url.replace("ws:", "wss:"))
        assert result.code == 3
        assert result.err.endswith(f"does not use TLS: {url}\n")


async def test_nothing_on_stdin(serve_script: ServeScript, run_command: RunCommand) -> None:
    server = await serve_script(answer)
    result = await run_command("-i", "-", "-a", server.url, stdin=b"")
    assert result.code == 2
    assert result.last_line == "streamer-client: there is no audio on standard input"


async def test_the_microphone_without_sounddevice(run_command: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "sounddevice.py").write_text("raise ImportError")
    result = await run_command("--mic", "-a", NOWHERE, modules=tmp_path)
    assert (result.code, result.err) == (
        2,
        "streamer-client: --mic needs the Python package sounddevice: "
        f"{sys.executable} -m pip install sounddevice\n",
    )


async def test_the_microphone_without_portaudio(run_command: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    result = await run_command("--mic", "-a", NOWHERE, modules=tmp_path)
    assert result.code == 2
    assert "apt install libportaudio2" in result.err
    assert result.err.count("\n") == 1


async def test_a_token_that_is_missing_and_one_that_is_wrong(
    run_command: RunCommand, speech: Path, launch: Launch
) -> None:
    server = launch({"model": {"type": "standin"}, "access": {"tokens": ["right"]}})
    address = f"ws://127.0.0.1:{server.port}/api/v1/segmented"
    missing = await run_command(speech, "-a", address)
    wrong = await run_command(speech, "-a", address, "--token", "wrong")
    assert missing.code == wrong.code == 4
    assert "give one with --token or in STREAMER_TOKEN" in missing.err
    assert "refused the token" in wrong.err
    assert "give another with --token or in STREAMER_TOKEN" in wrong.err
    assert missing.err.count("\n") == wrong.err.count("\n") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
async def test_a_full_disk(
    serve_script: ServeScript, run_command: RunCommand, speech: Path
) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.segment(0.0, 0.1, text="too much")
        await peer.read_to_stop()
        await peer.connection.wait_closed()

    server = await serve_script(script)
    result = await run_command("-i", speech, "-a", server.url, "-o", "/dev/full")
    assert result.code == 2
    assert result.last_line == (
        "streamer-client: cannot write /dev/full: No space left on device; make room, or give a "
        "file on another disk"
    )


async def test_a_wav_that_is_cut_short(
    serve_script: ServeScript, run_command: RunCommand, speech: Path
) -> None:
    shorten(speech, 8000)
    server = await serve_script(answer)
    result = await run_command("-i", speech, "-a", server.url)
    assert result.code == 0
    assert result.err.splitlines()[0] == (
        f"streamer-client: {speech}: the WAV file ends early: its header declares 16000 bytes of "
        "samples, 8000 are there, 8000 bytes (0.25 s) are missing"
    )
    assert len(server.peer.audio) == 8000


async def test_a_damaged_flac(
    serve_script: ServeScript, run_command: RunCommand, tmp_path: Path
) -> None:
    """What is before the damage and behind it is sent, and what is damaged is said."""
    path = tmp_path / "a.flac"
    noise = np.random.default_rng(1).uniform(-0.3, 0.3, (1, 160_000)).astype(np.float32)
    data = bytearray(encoded(noise, 16_000, "flac", "flac"))
    data[100_000:200_000] = b"x" * 100_000
    path.write_bytes(data)
    server = await serve_script(answer)
    result = await run_command("-i", path, "-a", server.url)
    assert result.code == 0
    *warnings, _ = result.err.splitlines()
    assert warnings[0].startswith(
        f"streamer-client: {path}: the FLAC file ends early or is damaged"
    )
    assert 5.0 < server.peer.audio_s < 8.0


async def test_sound_without_speech_is_one_warning(
    run_command: RunCommand, tmp_path: Path, launch: Launch
) -> None:
    beeps = np.tile(np.repeat([0.3, 0.0], 8_000) * np.sin(np.arange(16_000) * 1.2), 4)
    soundfile.write(tmp_path / "beeps.wav", beeps, 16_000)
    server = launch({"model": {"type": "standin"}})
    address = f"ws://127.0.0.1:{server.port}/api/v1/segmented"
    result = await run_command(tmp_path / "beeps.wav", "-a", address)
    assert (result.code, result.out) == (0, "")
    warning, _ = result.err.splitlines()
    assert warning.startswith("warning no_speech: no speech was found in 4.0 s of audio")
    assert "/api/v1/simple" in warning
