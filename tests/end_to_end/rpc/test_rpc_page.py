"""The commands of `docs/grpc.md` do what it says."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_docs import ROOT, blocks, commands
from tests.end_to_end.rpc.rpc_call import address_of
from tools.harness.process import TIMEOUT_S, Server
from tools.harness.sounds import BECKETT, word_error_rate

PAGE = ROOT / "docs/grpc.md"
SHOWN = "localhost:50051"
GRPCURL = [command for command in commands(PAGE) if command.startswith("grpcurl")]


def run(command: str, server: Server, folder: Path = ROOT) -> str:
    """Run a command of the page, with this Python, and with a port of the test."""
    words = shlex.split(command.replace(SHOWN, address_of(server)))
    variables = dict(word.split("=") for word in words if re.match(r"[A-Z]+=", word))
    arguments = [sys.executable if word == ".venv/bin/python" else word for word in words]
    done = subprocess.run(
        arguments[len(variables) :],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_transcribes(rpc_transcriber: Server) -> None:
    (code,) = blocks(PAGE, "python")
    assert len(code.splitlines()) <= 22
    (command,) = [command for command in commands(PAGE) if "grpc_transcribe" in command]
    lines = run(command, rpc_transcriber).splitlines()
    assert len(lines) == 6
    text = " ".join(line.split(maxsplit=1)[1] for line in lines)
    assert word_error_rate(BECKETT, text) < 0.2


def test_the_code_is_generated(rpc_standin: Server, tmp_path: Path) -> None:
    (command,) = [command for command in commands(PAGE) if "grpc_tools" in command]
    run(command.replace("=build", f"={tmp_path}"), rpc_standin)
    assert {path.name for path in (tmp_path / "streamer/v1").iterdir()} == {
        "streaming_pb2.py",
        "streaming_pb2_grpc.py",
    }


@pytest.mark.parametrize("command", GRPCURL, ids=lambda command: shlex.split(command)[-1])
@pytest.mark.skipif(not shutil.which("grpcurl"), reason="no registry of packages has grpcurl")
def test_grpcurl(rpc_standin: Server, command: str) -> None:
    assert run(command, rpc_standin)


def test_the_messages_for_grpcurl_are_right() -> None:
    """Also where it is not installed."""
    (given,) = [shlex.split(command)[-3] for command in GRPCURL if "-proto" in command]
    decoder, requests = json.JSONDecoder(), []
    while given.strip():
        request, end = decoder.raw_decode(given.strip())
        requests.append(request)
        given = given.strip()[end:]
    assert [list(request) for request in requests] == [["start"], ["flush"], ["stop"]]
