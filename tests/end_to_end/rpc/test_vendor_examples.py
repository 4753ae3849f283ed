"""The programs of `docs/clients.md` with Google's and NVIDIA's packages."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.clients.programs import python
from tests.end_to_end.conftest import Launch
from tests.end_to_end.rpc.recognizers import RECORDINGS
from tests.end_to_end.rpc.rpc_call import address_of, with_port
from tools.harness.ports import free_port
from tools.harness.process import Server
from tools.harness.sounds import beckett
from tools.harness.streams import events_of, stream_audio

ROOT = Path(__file__).parents[3]
BECKETT = str(RECORDINGS / "beckett.wav")
SCRIPTS = ("google_speech.py", "google_speech_async.py", "riva_speech.py")
scripts = pytest.mark.parametrize("script", SCRIPTS)


def ran(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    interpreter = python("riva") if script.startswith("riva") else sys.executable
    return subprocess.run(
        [interpreter, "-W", "ignore", str(ROOT / "docs/examples" / script), *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env=os.environ | environment,
    )


def finals(script: str, output: str) -> list[str]:
    """The final texts that a script prints."""
    lines = output.splitlines()
    if script.startswith("riva"):
        return [line.removeprefix("## ").strip() for line in lines]
    return [line for line in lines if not line.endswith(" …")]


@scripts
async def test_an_example_prints_the_words_of_our_own_protocol(
    rpc_transcriber: Server, script: str
) -> None:
    run = await asyncio.to_thread(ran, script, address_of(rpc_transcriber), BECKETT)
    assert (run.returncode, run.stderr) == (0, "")
    events = await stream_audio(rpc_transcriber, beckett())
    said = [segment["text"] for segment in events_of(events, "segment")]
    assert finals(script, run.stdout) == said
    shown = re.search(
        rf"^\$ \S*python docs/examples/{script} localhost:50051 \S+/beckett.wav\n(.*)\n(.*) …",
        (ROOT / "docs/clients.md").read_text(),
        re.MULTILINE,
    )
    if "async" not in script:
        assert shown is not None
        assert run.stdout.startswith(f"{shown[1]}")
        assert finals(script, f"{shown[1]}\n{shown[2]}") == said[:2]


def test_each_example_shows_the_token(launch: Launch) -> None:
    token = "correct-horse"
    server = launch(with_port({"access": {"tokens": [token]}}))
    for script in SCRIPTS:
        wrong = ran(script, address_of(server), BECKETT, STREAMER_TOKEN="wrong")
        assert wrong.returncode == 1
        assert wrong.stderr.startswith(f"{script}: ")
        assert "token" in wrong.stderr, wrong.stderr
        right = ran(script, address_of(server), BECKETT, STREAMER_TOKEN=token)
        assert (right.returncode, right.stderr) == (0, "")
        assert len(finals(script, right.stdout)) == 6


@scripts
def test_a_usual_mistake_is_one_line(rpc_standin: Server, script: str) -> None:
    for arguments, says in (
        ([], f"usage: {script} HOST:PORT RECORDING.WAV"),
        ([address_of(rpc_standin), "/no/such.wav"], "No such file or directory"),
        ([f"127.0.0.1:{free_port()}", BECKETT], f"{script}: "),
    ):
        run = ran(script, *arguments)
        assert run.returncode == 1
        assert says in run.stderr
        assert run.stderr.count("\n") == 1
