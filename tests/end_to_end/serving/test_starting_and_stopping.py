"""The server as a process: how it ends, and how it refuses to begin."""

import json
import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import Launch
from tools.harness.process import TIMEOUT_S, Server, cpu_s, still_running, wait_until
from tools.harness.sounds import BECKETT, beckett, silence, word_error_rate
from tools.harness.streams import client, events_of, stream_audio

STANDIN = {"model": {"type": "standin"}}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(launch: Launch, number: signal.Signals) -> None:
    server = launch(STANDIN)
    family = server.descendants()
    assert family
    assert server.end_by_signal(number) == 0
    assert "Ending" not in server.log(), "nobody is waited for"
    assert "Streamer has ended." in server.log()
    wait_until(lambda: not still_running(family), "its processes are gone")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_in_mid_stream_ends_it_in_order(
    launch: Launch, number: signal.Signals
) -> None:
    server = launch({"model": {"type": "standin", "options": {"delay": 0.5}}})
    family = server.descendants()
    async with client(server, "simple") as stream:
        await stream.start()
        await stream.send(silence(20).data)
        await stream.events_until("segment")
        server.send_signal(number)
        await stream.events_until_close()
    assert stream.close_code == 1012
    assert server.process.wait(TIMEOUT_S) == 0
    wait_until(lambda: not still_running(family), "its processes are gone")


async def test_the_server_as_it_comes_transcribes(launch: Launch) -> None:
    """Base with interims by Tiny, or Tiny alone on a machine with one core."""
    server = launch(None)
    events = await stream_audio(server, beckett(), interim_results=True)
    texts = [event["text"] for event in events_of(events, "segment")]
    assert word_error_rate(BECKETT, " ".join(texts)) < 0.2
    model = "moonshine-base-en" if (os.cpu_count() or 1) > 1 else "moonshine-tiny-en"
    assert [each["name"] for each in server.get("/api/v1/info").json()["models"]] == [model]


def test_a_signal_while_loading_ends_it_in_order(launch: Launch) -> None:
    model = {"type": "standin", "options": {"warmup_penalty": 60}}
    server = launch({"model": model}, ready=False)
    assert server.get("/health").status == 200
    family = server.descendants()
    assert server.end_by_signal(signal.SIGTERM) == 0
    wait_until(lambda: not still_running(family), "its processes are gone")


def test_no_worker_outlives_a_killed_server(launch: Launch) -> None:
    server = launch(STANDIN)
    family = server.descendants()
    assert len(server.workers()) >= 1
    server.end_by_signal(signal.SIGKILL)
    wait_until(lambda: not still_running(family), "its processes are gone")


async def test_no_busy_worker_outlives_a_killed_server(launch: Launch) -> None:
    model = {"type": "standin", "options": {"delay": 300, "busy": True}}
    server = launch({"model": model, "inference": {"workers": 1}})
    family, (worker,) = server.descendants(), server.workers()
    spent_s = cpu_s(worker)
    async with client(server, "simple") as stream:
        await stream.start()
        await stream.send(silence(2).data)
        wait_until(lambda: cpu_s(worker) > spent_s + 0.2, "the worker is busy")
        server.end_by_signal(signal.SIGKILL)
    wait_until(lambda: not still_running(family), "its processes are gone")


def refused(server: Server, code: int) -> str:
    """Wait for its end with this exit code; returns what it said besides that it loads."""
    assert server.process.wait(TIMEOUT_S) == code, server.log()
    lines = server.log().splitlines()
    if code == 2:  # there is no log yet, nor will there be
        (line,) = lines
        return line
    (said,) = [m for line in lines if (m := json.loads(line)["message"]).startswith("streamer: ")]
    return str(said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("ready", [False, True])
def test_a_signal_to_the_whole_group_is_the_servers_alone(
    launch: Launch, number: signal.Signals, *, ready: bool
) -> None:
    """Ctrl-C in a terminal, or systemd stopping a unit; workers end when the server says so."""
    model = {"type": "standin", "options": {"warmup_penalty": 2}}
    server = launch({"model": model}, ready=ready)
    wait_until(lambda: ready or server.workers(), "workers start")
    os.killpg(server.process.pid, number)
    assert server.process.wait(TIMEOUT_S) == 0
    assert "signal" not in server.log()
    assert "replaced" not in server.log()


def test_a_setting_named_with_one_underscore_is_told(launch: Launch) -> None:
    server = launch(STANDIN, env={"STREAMER_VAD_THRESHOLD": "0.9"})
    assert "STREAMER_VAD_THRESHOLD is not a setting and has no effect" in server.log()


def test_a_token_that_only_the_client_reads_is_told(launch: Launch) -> None:
    line = "STREAMER_TOKEN is the client's variable; the server reads STREAMER_TOKENS, and now"
    server = launch(STANDIN, env={"STREAMER_TOKEN": "s3cret"})
    assert f"{line} admits everyone" in server.log()
    assert "s3cret" not in server.log()
    for tokens in (
        {"STREAMER_TOKENS": "s3cret", "STREAMER_TOKEN": "s3cret"},
        {"STREAMER_TOKEN": ""},
    ):
        server.stop()
        server = launch(STANDIN, env=tokens)
        assert "STREAMER_TOKEN" not in server.log()


def test_a_folder_with_a_configuration(launch: Launch, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "config.json").write_text('{"server": {"log_level": "loud"}}')
    line = refused(launch(STANDIN, "--config", str(folder), ready=False), 2)
    assert line.startswith(f"streamer: {folder / 'config.json'}: 'server.log_level' is")


def test_a_port_in_use(launch: Launch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        config = {**STANDIN, "limits": {"drain_seconds": 7.5}}
        line = refused(launch(config, "--port", port, ready=False), 2)
    assert f"port {port} is in use on 127.0.0.1" in line
    assert "--port N, or STREAMER_SERVER__PORT=N make run" in line
    assert "An earlier server that was told to end may still serve its open streams" in line
    assert "for at most 7.5 s (limits.drain_seconds)" in line


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("192.0.2.1", "'server.host' must be an address of this machine, such as 127.0.0.1"),
        ("no.such.host.invalid", "'server.host' must be a name or an address of this machine"),
        ("http://127.0.0.1", "of this machine, without a scheme and without the port, which is"),
        ("127.0.0.1:80", "of this machine, without a scheme and without the port, which is"),
    ],
)
def test_an_address_of_another_machine(launch: Launch, host: str, says: str) -> None:
    line = refused(launch(STANDIN, "--host", host, ready=False), 2)
    assert f"cannot listen on {host} port 0: " in line
    assert says in line


WRONG: dict[str, tuple[dict[str, Any], list[str], dict[str, str], list[str]]] = {
    "file": (
        {"vad": {"threshold": 7}},
        [],
        {},
        ["config.json", "'vad.threshold' is 7", "a number above 0"],
    ),
    "file, unknown key": (
        {"vad": {"treshold": 0.5}},
        [],
        {},
        ["config.json", "unknown field 'vad.treshold'", "allowed: end_on_pause, engine"],
    ),
    "file, unknown section": (
        {"vat": {}},
        [],
        {},
        ["unknown field 'vat'", "allowed: access, grpc, inference"],
    ),
    "environment": (
        {},
        [],
        {"STREAMER_INFERENCE__WORKERS": "many"},
        ["STREAMER_INFERENCE__WORKERS", "'inference.workers' is \"many\"", "a whole number"],
    ),
    "environment over file": (
        {"inference": {"workers": 1}},
        [],
        {"STREAMER_INFERENCE__WORKERS": "-1"},
        ["STREAMER_INFERENCE__WORKERS", "is -1", "at least 0"],
    ),
    "flag": ({}, ["--port", "99999"], {}, ["--port", "'server.port' is 99999", "0 to 65535"]),
    "flag, choice": (
        {},
        ["--log-level", "loud"],
        {},
        ["--log-level", "'server.log_level' is \"loud\"", "one of debug, error, info, warning"],
    ),
    "settings together": (
        {"vad": {"prefix_padding_ms": 2_000, "max_segment_ms": 1_000}},
        [],
        {},
        ["prefix_padding_ms + min_speech_ms is 2200", "at most two thirds"],
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_setting(launch: Launch, case: str) -> None:
    config, flags, env, parts = WRONG[case]
    line = refused(launch(STANDIN | config, *flags, env=env, ready=False), 2)
    for part in parts:
        assert part in line


@pytest.mark.parametrize("content", [None, "{", "[]", '{"vad": {"threshold": NaN}}'])
def test_a_file_that_is_no_configuration(
    launch: Launch, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "my.json"
    if content is not None:
        path.write_text(content)
    assert str(path) in refused(launch(None, "--config", str(path), ready=False), 2)


def test_an_address_that_is_not_this_machines(launch: Launch) -> None:
    line = refused(launch(STANDIN, "--host", "192.0.2.1", ready=False), 2)
    assert "cannot listen on 192.0.2.1" in line


@pytest.mark.parametrize("config", [None, STANDIN], ids=["transcriber", "voice detection"])
def test_missing_weights(launch: Launch, tmp_path: Path, config: dict[str, object] | None) -> None:
    empty = tmp_path / "no models here"
    empty.mkdir()
    server = launch(config, env={"STREAMER_MODELS": str(empty)}, ready=False)
    assert "streamer models fetch" in refused(server, 2)


MODELS = """
import os

import streamer

class Cold(streamer.Model):
    def infer(self, samples):
        raise ValueError("too cold")

class Broken(Cold):
    def __init__(self):
        raise OSError("no such weights")

class Deadly(Cold):
    def __init__(self):
        os._exit(9)

class NotOne:
    pass
"""

USELESS = {
    "nowhere:Model": "No module named 'nowhere'",
    "models:Missing": "it has no 'Missing'; allowed: Cold or Broken or Deadly",
    "models:NotOne": "write class NotOne(streamer.Model), or name Cold or Broken or Deadly",
    "models:Broken": "OSError: no such weights",
    "models:Cold": "ValueError: too cold",
    "models:Deadly": "its process died: exit code 9: the model, or a library that it uses, has",
}


@pytest.mark.parametrize("kind", USELESS)
def test_a_model_that_cannot_be_loaded(launch: Launch, tmp_path: Path, kind: str) -> None:
    (tmp_path / "models.py").write_text(MODELS)
    server = launch({"model": {"type": kind}}, ready=False)
    line = refused(server, 1)
    assert USELESS[kind] in line


def test_models_that_there_cannot_be(launch: Launch) -> None:
    wrong = [
        ({"type": "whisper"}, "'model.type' is \"whisper\"; allowed: one of moonshine, standin"),
        ({"type": "moonshine", "path": "silero-vad"}, "'model.path' is \"silero-vad\""),
        ({"type": "moonshine", "path": "nope"}, "'model.path' is \"nope\", and there is no folder"),
    ]
    for model, says in wrong:
        assert says in refused(launch({"model": model}, ready=False), 2)


def test_the_source_of_a_model_that_there_is_not_is_named(launch: Launch) -> None:
    variable = {"STREAMER_MODEL__PATH": "moonshine-tiny-de"}
    line = refused(launch(None, env=variable, ready=False), 2)
    assert line.startswith(
        "streamer: STREAMER_MODEL__PATH: 'model.path' is \"moonshine-tiny-de\", and there is no"
    )
    assert "silero-vad" not in line
    assert line.endswith("; did you mean moonshine-tiny-en?")
    line = refused(launch({"model": {"path": "moonshine-tiny-de"}}, ready=False), 2)
    assert line.startswith("streamer: config.json: 'model.path' is ")
    variable = {"STREAMER_MODEL__TYPE": "whisper"}
    line = refused(launch(None, env=variable, ready=False), 2)
    assert line.startswith("streamer: STREAMER_MODEL__TYPE: 'model.type' is \"whisper\"; allowed")


def test_options_that_a_model_does_not_take(launch: Launch) -> None:
    model = {"type": "standin", "options": {"dealy": 1}}
    assert "unexpected keyword argument 'dealy'" in refused(
        launch({"model": model}, ready=False), 1
    )


@pytest.mark.parametrize("tokens", [[], ["s3cret"]])
def test_the_command_to_try_shows_a_token_where_one_is_needed(
    launch: Launch, tokens: list[str]
) -> None:
    server = launch(STANDIN | {"access": {"tokens": tokens}})
    assert ("/api/v1/segmented --token TOKEN" in server.log()) is bool(tokens)
    assert "s3cret" not in server.log()
