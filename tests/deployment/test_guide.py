"""What `docs/deployment.md` tells people to do."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import msgspec
import pytest

from streamer.config.schema import Config
from streamer.config.sources import load_config
from tests.deployment.files import DEPLOY, GUIDE, ROOT
from tests.end_to_end.conftest import Launch
from tests.needed import program

CONFIGURATIONS = re.findall(r"^```json\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
COMMANDS = [
    command.removeprefix("$ ")
    for block in re.findall(r"^```console\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    for command in block.replace("\\\n", " ").splitlines()
]


def commands(word: str) -> list[str]:
    return [command for command in COMMANDS if word in command]


@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_every_configuration_is_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    used = json.loads(msgspec.json.encode(load_config(path, {}, {})))
    for section, given in json.loads(text).items():
        assert {key: used[section][key] for key in given} == given


def test_tokens_and_a_certificate_are_made_and_used_as_shown(
    launch: Launch, tmp_path: Path
) -> None:
    program("openssl", "openssl")
    for command in commands("openssl"):
        if "kubectl" not in command and "/etc" not in command:
            subprocess.run(["bash", "-ec", command], cwd=tmp_path, check=True, capture_output=True)
    token = (tmp_path / "tokens").read_text().strip()
    assert re.fullmatch("[0-9a-f]{64}", token)
    environment = {}
    flags: list[str] = []
    for command in commands(".venv/bin/streamer"):
        if "streamer-client" in command or "--port" in command:
            continue
        for word in shlex.split(command.replace("$PWD", str(tmp_path))):
            name, equals, value = word.partition("=")
            if equals:
                environment[name] = value
            elif word != ".venv/bin/streamer":
                flags.append(word)
    assert flags == ["--host", "0.0.0.0"]  # which a test does not do
    assert len(environment) == 4
    server = launch({"model": {"type": "standin"}}, env=environment)
    assert server.get("/v1/models").status == 401
    assert server.get("/v1/models", Authorization=f"Bearer {token}").status == 200


def test_everybody_else_is_told_to_wait_long_enough() -> None:
    assert f"`limits.drain_seconds` ({Config().limits.drain_seconds:g})" in GUIDE
    assert set(re.findall(r"\(\.\./(deploy/[^)]*)\)", GUIDE)) == {
        str(path.relative_to(ROOT)) for path in DEPLOY.iterdir()
    }
