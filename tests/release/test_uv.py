"""The server's wheel, as uv installs tools."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.needed import missing
from tools.release.platforms import UV


@pytest.mark.timeout(600)
def test_uv_installs_the_server_and_the_client(
    server_wheel: Path, made: Path, tmp_path: Path
) -> None:
    if not UV.is_file():
        missing("uv is not installed: make tools")
    programs = tmp_path / "bin"
    network = ("UV_", "SSL_", "HTTP_", "HTTPS_", "ALL_", "NO_")
    environment = {
        **{name: value for name, value in os.environ.items() if name.upper().startswith(network)},
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path / "home"),
        "UV_TOOL_DIR": str(tmp_path / "tools"),
        "UV_TOOL_BIN_DIR": str(programs),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_LINK_MODE": "copy",
    }

    def run(*command: str | Path) -> str:
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run(UV, "tool", "install", "--python", _base_python(), server_wheel)
    assert run(programs / "streamer", "--version") == f"streamer {made.name}\n"
    assert run(programs / "streamer-client", "--version") == f"streamer-client {made.name}\n"
    assert "moonshine-base-en" in run(programs / "streamer", "models", "list")
    started = subprocess.run(
        [programs / "streamer"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 2
    models = tmp_path / "home/.local/share/streamer/models"
    assert f"not in {models}: run `streamer --fetch`" in started.stderr


def _base_python() -> str:
    return str(Path(sys.base_prefix) / "bin/python3")
