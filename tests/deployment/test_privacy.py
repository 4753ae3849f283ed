"""Nothing leaves the machine, and nothing is left behind on it."""

from pathlib import Path

import psutil
import pytest

from tests.end_to_end.conftest import Launch
from tools.harness.sounds import beckett
from tools.harness.streams import stream_audio


async def test_the_server_asks_nobody_and_writes_nothing(
    launch: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ONNX Runtime has telemetry: a file of events, the id of a device, and where to send it."""
    monkeypatch.delenv("CI", raising=False)  # with it, that is off by itself
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)  # this process has imported streamer
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    home = tmp_path / "home"
    home.mkdir()
    server = launch(None, env={"HOME": str(home)})
    await stream_audio(server, beckett())
    family = [psutil.Process(server.process.pid), *server.descendants()]
    assert len(family) > 1
    remote = [c.raddr[0] for one in family for c in one.net_connections("inet") if len(c.raddr)]
    assert set(remote) <= {"127.0.0.1"}
    assert list(home.rglob("*")) == []
