"""The server of a built image, as a container runs it: its command, its probe, its client."""

import contextlib
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.harness.image import Stage, exec_form
from tools.harness.ports import free_port
from tools.harness.process import TIMEOUT_S, wait_until


@dataclass(frozen=True)
class Image:
    """A built image, and how its programs run.

    Attributes:
        final: The last stage of its Dockerfile.
        root: Where its files are for its own programs.
        environment: Of its programs.
        unprivileged: Words before a command that is to run as the image's user.
    """

    final: Stage
    root: Path
    environment: dict[str, str]
    unprivileged: Sequence[str]

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run one of its programs to its end; a name without a folder is in `/opt/streamer/bin`."""
        return subprocess.run(
            [*self.unprivileged, *self.words(command)], cwd="/tmp", text=True, check=False,
            env={**self.environment, **environment}, capture_output=True, timeout=TIMEOUT_S,
        )  # fmt: skip

    def words(self, command: Sequence[str]) -> list[str]:
        """A command with the path of its program."""
        return [str(self.root / "opt/streamer/bin" / command[0]), *command[1:]]


@contextlib.contextmanager
def serving(image: Image, **environment: str) -> Iterator[int]:
    """Start the server by the image's entry point; its port, once the probe finds it ready."""
    port = free_port()
    settings = {"STREAMER_SERVER__PORT": str(port), **environment}
    (entrypoint,) = image.final.all("ENTRYPOINT")
    (healthcheck,) = image.final.all("HEALTHCHECK")
    probe = exec_form(healthcheck.partition("CMD ")[2])

    def healthy() -> bool:
        return image.run(*probe, **settings).returncode == 0

    def ready() -> bool:
        with contextlib.suppress(urllib.error.HTTPError):
            url = f"http://127.0.0.1:{port}/api/v1/ready"
            return bool(urllib.request.urlopen(url, timeout=TIMEOUT_S).status == 200)
        return False

    assert not healthy()
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(
            [*image.unprivileged, *image.words(exec_form(entrypoint))],
            cwd="/tmp", env={**image.environment, **settings}, stderr=log,
        ) as server,
    ):  # fmt: skip

        def logged() -> str:
            log.seek(0)
            return log.read()

        try:
            wait_until(lambda: server.poll() is not None or healthy(), "the health check passes")
            assert server.poll() is None, logged()
            wait_until(ready, "the server in the image is ready")
            yield port
        finally:
            server.send_signal(signal.SIGTERM)
        assert server.wait(TIMEOUT_S) == 0, logged()


def transcript(image: Image, port: int) -> str:
    """What the image's client prints of a recording, which the image's decoder reads."""
    done = image.run(
        "streamer-client",
        str(image.root / "models/moonshine-tiny-en/beckett.wav"),
        *("-a", f"ws://127.0.0.1:{port}/api/v1/segmented"),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
