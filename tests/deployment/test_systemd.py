"""The units in `deploy/`: what systemd says of them, and that they fit this server."""

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streamer.config.schema import Config
from tests.deployment.files import DEPLOY, GUIDE
from tests.end_to_end.conftest import Launch
from tests.needed import program
from tools.harness.ports import free_port
from tools.harness.process import still_running, wait_until

ONE, EACH = "streamer.service", "streamer@.service"
UNITS = {name: (DEPLOY / name).read_text() for name in (ONE, EACH)}
EXECUTABLE = "/opt/streamer/.venv/bin/streamer"

both = pytest.mark.parametrize("name", UNITS)


def setting(name: str, key: str) -> str:
    (value,) = re.findall(rf"^{key}=(.*)$", UNITS[name], re.MULTILINE)
    return str(value)


def environment(name: str, folder: Path) -> dict[str, str]:
    """The variables that a unit sets, with a folder of the test for systemd's own."""
    lines = re.findall(r"^Environment=(.*)$", UNITS[name], re.MULTILINE)
    return dict(line.replace("%d", str(folder)).split("=", 1) for line in lines)


def analyzed(name: str, folder: Path, *command: str) -> str:
    """What `systemd-analyze` says of a unit, installed for this Python; it has to be content."""
    unit = folder / name.replace("@", "@8081")
    text = UNITS[name]
    assert text.count(EXECUTABLE) == 1
    unit.write_text(text.replace(EXECUTABLE, shutil.which("true") or sys.executable))
    run = subprocess.run(
        [program("systemd-analyze", "systemd"), *command, str(unit)], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


@both
def test_systemd_understands_it(name: str, tmp_path: Path) -> None:
    assert analyzed(name, tmp_path, "verify") == ""


@both
def test_it_is_well_confined(name: str, tmp_path: Path) -> None:
    """0 is nothing to be exposed to, 10 is everything."""
    said = analyzed(name, tmp_path, "security", "--offline=true", "--threshold=20", "--no-pager")
    (level,) = re.findall(r"Overall exposure level for streamer\S*.service: ([\d.]+)", said)
    assert float(level) <= 1.5


def test_both_units_are_alike() -> None:
    """They differ in what makes several servers of one, and in nothing else."""

    def settings(name: str) -> set[str]:
        return {line for line in UNITS[name].splitlines() if line and line[0] != "#"}

    of_one, of_each = settings(ONE), settings(EACH)
    assert of_each - of_one == {
        "Description=Streamer on port %i: audio in, observations out",
        f"ExecStart={EXECUTABLE} --config /etc/streamer/config.json --port %i",
        "EnvironmentFile=-/etc/streamer/%i.env",
    }
    assert len(of_one - of_each) == 2


@both
def test_there_is_time_to_drain(name: str) -> None:
    assert int(setting(name, "TimeoutStopSec")) > Config().limits.drain_seconds


def test_the_command_and_environment_are_right(launch: Launch, tmp_path: Path) -> None:
    """Started as the unit says, with the folders of the test in the place of the machine's."""
    command = setting(ONE, "ExecStart").split()
    assert command == [EXECUTABLE, "--config", "/etc/streamer/config.json"]
    (tmp_path / "tokens").write_text("sesame\n")
    variables = environment(ONE, tmp_path)
    assert variables.pop("STREAMER_MODELS") == "/opt/streamer/models"
    server = launch({"model": {"type": "standin"}}, env=variables)
    assert server.get("/v1/models").status == 401
    assert server.get("/v1/models", Authorization="Bearer sesame").status == 200


def test_each_instance_has_its_port_and_what_its_file_says(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("sesame\n")
    variables = environment(EACH, tmp_path)
    del variables["STREAMER_MODELS"]
    (own,) = re.findall(r"^```sh\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    shown = dict(line.split("=", 1) for line in own.splitlines())
    assert shown.keys() == {"STREAMER_GRPC__PORT", "STREAMER_INFERENCE__WORKERS"}
    shown["STREAMER_GRPC__PORT"] = str(free_port())
    for number in range(1, 3):
        port = free_port()
        command = setting(EACH, "ExecStart").replace("%i", str(port)).split()
        assert command[1:3] == ["--config", "/etc/streamer/config.json"]
        own_workers = {**variables, "STREAMER_INFERENCE__WORKERS": str(number)}
        extra = shown if number == 1 else {}
        server = launch(
            {"model": {"type": "standin"}},
            *command[3:],
            env={**extra, **own_workers},
            folder=str(port),
        )
        assert server.port == port
        info = server.get("/api/v1/info").json()
        assert info["inference"]["workers_alive"] == number
        assert ("streamer" in info["dialects"]) is (number == 1)


def test_only_the_server_is_told_to_end(launch: Launch) -> None:
    assert {setting(name, "KillMode") for name in UNITS} == {"mixed"}
    server = launch({"model": {"type": "standin"}})
    family = server.descendants()
    assert server.end_by_signal(signal.SIGTERM) == 0
    wait_until(lambda: not still_running(family), "its workers end with it")
