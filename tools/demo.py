"""Start the server, play a recording through the client in real time, stop: `make demo`."""

import re
import subprocess
import sys
from pathlib import Path

from streamer.weights.manifest import require
from tools.command_line import tool_parser

BIN = Path(sys.executable).parent
RECORDING = "two_cities.wav"


def main() -> int:
    """Run the demo; returns the client's exit code."""
    recording = require("moonshine-tiny-en") / RECORDING
    command = [str(BIN / "streamer"), "--port", "0", "--log-level", "warning"]
    # In a group of its own: Ctrl-C reaches the client only, which then prints its summary.
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as server:
        try:
            address = _wait_ready(server)
            if address is None:
                return 1
            print(f"Playing {RECORDING} to {address} in real time. Ctrl-C stops.\n", flush=True)
            options = ["--real-time", "--interim-results", "-a", f"{address}/api/v1/segmented"]
            return subprocess.call([BIN / "streamer-client", *options, "-i", recording])
        finally:
            server.terminate()


def _wait_ready(server: "subprocess.Popen[str]") -> str | None:
    """The server's WebSocket address once it is warm; None when it ended instead."""
    assert server.stderr is not None
    for line in server.stderr:
        if found := re.search(r"(ws://\S+)/api/v1/segmented", line):
            return found[1]
        sys.stderr.write(line)
    return None


if __name__ == "__main__":
    tool_parser("tools.demo", __doc__).parse_args()
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
