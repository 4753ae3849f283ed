"""The recipe for two servers behind HAProxy, without systemd and without a domain, as shown."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deployment.files import DEPLOY, GUIDE, ROOT
from tests.needed import program
from tools.harness.ports import free_port
from tools.harness.process import TIMEOUT_S

HEADING = "### Two servers on one machine, to try it"
RECORDING = "models/moonshine-tiny-en/beckett.wav"


def recipe() -> list[str]:
    """The commands of the page."""
    section = GUIDE.partition(HEADING)[2].partition("\n### ")[0]
    (block,) = re.findall(r"^```console\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    return [command.removeprefix("$ ") for command in block.splitlines()]


def script(folder: Path) -> str:
    """The recipe with ports that are free, and with the programs of this environment."""
    text = "\n".join(recipe())
    config = (DEPLOY / "haproxy-local.cfg").read_text()
    for port in ("8080", "8081", "8082"):
        assert f":{port}" in config
        free = str(free_port())
        text, config = text.replace(port, free), config.replace(port, free)
    (folder / "haproxy.cfg").write_text(config)
    text = text.replace("deploy/haproxy-local.cfg", str(folder / "haproxy.cfg"))
    text = text.replace(".venv/bin/", f"{Path(sys.executable).parent}/")
    return text.replace(RECORDING, str(ROOT / RECORDING))


def test_the_recipe(tmp_path: Path) -> None:
    program("haproxy", "haproxy")
    program("curl", "curl")
    # A command that fails ends the script; what it has started is ended in any case.
    whole = f"set -e\ntrap 'kill $(jobs -p) 2>/dev/null' EXIT\n{script(tmp_path)}\n"
    environment = {**os.environ, "STREAMER_MODEL__TYPE": "standin"}
    with (tmp_path / "err").open("w+") as err:
        run = subprocess.run(
            ["bash", "-c", whole],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=err,
            text=True,
            timeout=4 * TIMEOUT_S,
        )
        err.seek(0)
        written = err.read()
    assert run.returncode == 0, written
    # Both recordings were answered, the second one by the server that was left.
    assert len(re.findall(r", [1-9]\d* segments?,", written)) == 2, written


@pytest.mark.parametrize("name", ["haproxy-local.cfg", "haproxy-compose.cfg"])
def test_the_small_configurations_are_parts_of_the_whole(name: str) -> None:
    """What they share has the values of `haproxy.cfg`, which gives the reasons."""

    def settings(file: str) -> set[str]:
        text = (DEPLOY / file).read_text()
        return set(
            re.findall(
                r"^ +((?:timeout|option|retry-on|balance|http-check) .*)$", text, re.MULTILINE
            )
        )

    assert settings(name) <= settings("haproxy.cfg")
