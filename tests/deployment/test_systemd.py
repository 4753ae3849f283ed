"""`deploy/streamer.service`: what systemd says of it, and that it fits this server."""

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from streamer.config.schema import Config
from tests.deployment.files import DEPLOY
from tests.end_to_end.conftest import Launch
from tests.needed import program
from tools.harness.process import still_running, wait_until

UNIT = (DEPLOY / "streamer.service").read_text()
EXECUTABLE = "/opt/streamer/.venv/bin/streamer"


def setting(key: str) -> str:
    (value,) = re.findall(rf"^{key}=(.*)$", UNIT, re.MULTILINE)
    return str(value)


def analyzed(folder: Path, *command: str) -> str:
    """What `systemd-analyze` says of the unit, installed for this Python; it has to be content."""
    unit = folder / "streamer.service"
    assert UNIT.count(EXECUTABLE) == 1
    unit.write_text(UNIT.replace(EXECUTABLE, shutil.which("true") or sys.executable))
    run = subprocess.run(
        [program("systemd-analyze", "systemd"), *command, str(unit)], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


def test_systemd_understands_it(tmp_path: Path) -> None:
    assert analyzed(tmp_path, "verify") == ""


def test_it_is_well_confined(tmp_path: Path) -> None:
    """0 is nothing to be exposed to, 10 is everything."""
    said = analyzed(tmp_path, "security", "--offline=true", "--threshold=20", "--no-pager")
    (level,) = re.findall(r"Overall exposure level for streamer.service: ([\d.]+)", said)
    assert float(level) <= 1.5


def test_there_is_time_to_drain() -> None:
    assert int(setting("TimeoutStopSec")) > Config().limits.drain_seconds


def test_the_command_and_environment_are_right(launch: Launch, tmp_path: Path) -> None:
    """Started as the unit says, with the folders of the test in the place of the machine's."""
    command = setting("ExecStart").split()
    assert command == [EXECUTABLE, "--config", "/etc/streamer/config.json"]
    (tmp_path / "tokens").write_text("sesame\n")
    environment = dict(
        line.replace("%d", str(tmp_path)).split("=", 1)
        for line in re.findall(r"^Environment=(.*)$", UNIT, re.MULTILINE)
    )
    assert environment.pop("STREAMER_MODELS") == "/opt/streamer/models"
    server = launch({"model": {"type": "standin"}}, env=environment)
    assert server.get("/v1/models").status == 401
    assert server.get("/v1/models", Authorization="Bearer sesame").status == 200


def test_only_the_server_is_told_to_end(launch: Launch) -> None:
    assert setting("KillMode") == "mixed"
    server = launch({"model": {"type": "standin"}})
    family = server.descendants()
    assert server.end_by_signal(signal.SIGTERM) == 0
    wait_until(lambda: not still_running(family), "its workers end with it")
