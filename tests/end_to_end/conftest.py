"""Real servers: one for the session with each model, and others as a test needs them."""

from collections.abc import Callable, Generator, Mapping
from pathlib import Path

import pytest

from tools.harness.process import LOG_DEFECTS, Server

_servers: list[Server] = []
"""Those whose logs the running test answers for."""

Launch = Callable[..., Server]


@pytest.fixture(scope="session")
def transcriber(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """A server that transcribes, with the harness's `MODEL`."""
    yield from _for_the_session(tmp_path_factory.mktemp("transcriber"), {})


@pytest.fixture(scope="session")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """A server with the stand-in model, and four chunks a second on `/api/v1/simple`."""
    config = {"model": {"type": "standin"}, "simple": {"chunk_seconds": 0.25}}
    yield from _for_the_session(tmp_path_factory.mktemp("standin"), config)


@pytest.fixture
def launch(tmp_path: Path) -> Generator[Launch]:
    """Start a server of one's own; with `ready=False` without waiting until it is ready.

    Without `config` it serves the harness's `MODEL`; with None it has no configuration file.
    Servers that run at the same time need a `folder` each, below `tmp_path`.
    """
    started = []

    def start(
        config: Mapping[str, object] | None = {},
        *flags: str,
        env: Mapping[str, str] | None = None,
        ready: bool = True,
        folder: str = "",
    ) -> Server:
        (tmp_path / folder).mkdir(exist_ok=True)
        server = Server(tmp_path / folder, config, *flags, env=env)
        started.append(server)
        _servers.append(server)
        if ready:
            server.wait_ready()
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture(autouse=True)
def _clean_logs() -> Generator[None]:
    """Whatever a test does to a server, its log holds no traceback."""
    before = {server: server.log_bytes for server in _servers}
    yield
    for server in [*_servers]:
        _check_log(server, before.get(server, 0))
        if server.process.poll() is not None:
            _servers.remove(server)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the servers' logs with a failure."""
    report = yield
    if report.failed:
        for server in _servers:
            report.sections.append((f"log of server {server.process.pid}", server.log()[-4_000:]))
    return report


def _for_the_session(folder: Path, config: Mapping[str, object] | None) -> Generator[Server]:
    server = Server(folder, config)
    _servers.append(server)
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()
        _servers.remove(server)
    _check_log(server)


def _check_log(server: Server, since: int = 0) -> None:
    unwanted = LOG_DEFECTS.search(server.log(since))
    assert unwanted is None, f"in the server's log: {unwanted}\n{server.log(since)}"
