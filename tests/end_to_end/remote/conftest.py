"""Real Ray clusters on this machine, and servers that use them."""

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import _servers
from tests.needed import missing
from tools.harness.process import Server
from tools.harness.ray_cluster import PROGRAM, PYTHON, ROOT, RayCluster, ray_cluster

LaunchRemote = Callable[..., Server]


@pytest.fixture(scope="session")
def with_ray() -> None:
    """Skip the test where Ray is not installed."""
    if not PYTHON.exists():
        missing("Ray is not installed: make ray")


@pytest.fixture(scope="session")
def cluster(with_ray: None) -> Generator[RayCluster]:
    """Two nodes, `one` with the head, each with room for two workers. No test kills them."""
    with ray_cluster() as running:
        running.start("one", cpus=2)
        running.start("two", cpus=2)
        yield running


@pytest.fixture
def launch_remote(with_ray: None, tmp_path: Path) -> Generator[LaunchRemote]:
    """Start a server whose Python has Ray. It may have several with a folder each."""
    started: list[Server] = []

    def start(
        config: dict[str, Any],
        *,
        ready: bool = True,
        env: dict[str, str] | None = None,
        wrapper: Sequence[str] = (),
    ) -> Server:
        folder = tmp_path / f"server{len(started)}"
        folder.mkdir()
        environment = {"PYTHONPATH": str(ROOT), **(env or {})}
        server = Server(folder, config, env=environment, wrapper=wrapper, program=PROGRAM)
        started.append(server)
        _servers.append(server)
        if ready:
            server.wait_ready()
        return server

    yield start
    for server in started:
        server.stop()


def remote(address: str, **settings: Any) -> dict[str, Any]:
    """Settings of remote workers alone, without any on this machine."""
    return {"address": address, "only": True, "fallback": "none", **settings}


def info(server: Server, number: int = 0) -> dict[str, Any]:
    """What the server tells of a model, by its number in the configuration."""
    model: dict[str, Any] = server.get("/api/v1/info").json()["models"][number]
    return model
