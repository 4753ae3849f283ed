"""A server to measure, started as a user would."""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path


@contextlib.contextmanager
def server(
    *options: str,
    config: Mapping[str, object] | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[tuple[str, int]]:
    """Start a server, wait until it is warm, stop it in the end.

    Args:
        options: More of its command line.
        config: Laid over the defaults, as in `config.json`.
        env: Laid over this process's environment.

    Yields:
        Its WebSocket address and its process id.
    """
    command = [sys.executable, "-m", "streamer", "--port", "0", "--log-level", "warning", *options]
    with tempfile.TemporaryDirectory() as folder:
        if config is not None:
            path = Path(folder) / "config.json"
            path.write_text(json.dumps(config))
            command += ["--config", str(path)]
        environment = {**os.environ, **(env or {})}
        with subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env=environment
        ) as process:
            try:
                assert process.stderr is not None
                for line in process.stderr:
                    if found := re.search(r"ws://\S+/api/v1/segmented", line):
                        # What it prints from now on must not fill the pipe: the server would block.
                        threading.Thread(target=process.stderr.read, daemon=True).start()
                        yield found[0], process.pid
                        return
                raise SystemExit("the server did not start")
            finally:
                process.terminate()
