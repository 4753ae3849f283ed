"""A server to measure."""

import contextlib
from collections.abc import Iterator, Mapping

from tools.harness.process import running_server

MODEL: Mapping[str, object] = {"type": "moonshine", "path": "moonshine-tiny-en"}
"""What is served unless something else is named: so figures do not depend on the default."""


def with_model(config: Mapping[str, object]) -> dict[str, object]:
    """A configuration that names its model."""
    return {**({} if "models" in config else {"model": MODEL}), **config}


@contextlib.contextmanager
def server(
    *options: str,
    config: Mapping[str, object] | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[tuple[str, int]]:
    """Start a server, wait until it is warm, stop it in the end.

    Args:
        options: More of its command line.
        config: Laid over the defaults, as in `config.json`, and over `MODEL`.
        env: Laid over this process's environment.

    Yields:
        Its WebSocket address and its process id.
    """
    named = with_model(config or {})
    with running_server(named, "--log-level", "warning", *options, env=env) as running:
        yield f"ws://127.0.0.1:{running.port}/api/v1/segmented", running.process.pid
