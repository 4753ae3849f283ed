"""Servers with a port for gRPC: one with each model for all tests of this folder."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.end_to_end.rpc.rpc_call import with_port
from tools.harness.process import LOG_DEFECTS, Server


@pytest.fixture(scope="session")
def rpc_standin(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """A server with the stand-in model, and four chunks a second."""
    config = {"model": {"type": "standin"}, "simple": {"chunk_seconds": 0.25}}
    yield from _running(tmp_path_factory.mktemp("rpc_standin"), with_port(config, reflection=True))


@pytest.fixture(scope="session")
def rpc_transcriber(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """A server that transcribes, with the harness's `MODEL`."""
    yield from _running(tmp_path_factory.mktemp("rpc_transcriber"), with_port({}))


def _running(folder: Path, config: dict[str, object]) -> Generator[Server]:
    server = Server(folder, config)
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()
    unwanted = LOG_DEFECTS.search(server.log())
    assert unwanted is None, server.log()
