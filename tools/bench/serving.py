"""A server to measure."""

import contextlib
from collections.abc import Iterator, Mapping

from tools.harness.process import running_server


@contextlib.contextmanager
def server(
    *options: str,
    config: Mapping[str, object] | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[tuple[str, int]]:
    """Start a server, wait until it is warm, stop it in the end.

    Args:
        options: More of its command line.
        config: Laid over the defaults, as in `config.json`, and over the harness's `MODEL`.
        env: Laid over this process's environment.

    Yields:
        Its WebSocket address and its process id.
    """
    with running_server(config or {}, "--log-level", "warning", *options, env=env) as running:
        yield f"ws://127.0.0.1:{running.port}/api/v1/segmented", running.process.pid
