import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.harness.image import Build, context, exec_form, stages
from tools.harness.monitoring import ROOT
from tools.harness.ports import free_port
from tools.harness.process import TIMEOUT_S, wait_until
from tools.release.image_size import MOST_MB, layers

SETPRIV = (
    *("setpriv", "--reuid=10001", "--regid=10001", "--clear-groups", "--no-new-privs"),
    # Only to get at an interpreter that lies in a home; the image's is for everybody.
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
    "--bounding-set=-all,+dac_read_search",
)
POWERLESS = SETPRIV if os.getuid() == 0 else ()
"""Runs a command as the image's user, who can write nowhere but in /tmp and /dev/shm."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that other users can read, which pytest's own are not."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.mark.timeout(600)
def test_the_image_is_built_and_serves_without_rights(folder: Path) -> None:
    build = Build(folder)
    build.run()

    packages = {path.name for path in folder.glob("opt/streamer/lib/*/site-packages/*")}
    assert {"streamer", "streamer_client", "onnxruntime"} <= packages
    assert not packages & {"pip", "setuptools", "setuptools_scm", "pygments", "pytest", "mypy"}
    assert sum(layers(build).values()) <= MOST_MB

    port = free_port()
    environment = {**build.environment(), "STREAMER_SERVER__PORT": str(port)}
    (entrypoint,) = build.final.all("ENTRYPOINT")
    (healthcheck,) = build.final.all("HEALTHCHECK")
    probe = exec_form(healthcheck.partition("CMD ")[2])

    def healthy() -> bool:
        found = subprocess.run(probe, env=environment, capture_output=True, check=False)
        return found.returncode == 0

    def ready() -> bool:
        with contextlib.suppress(urllib.error.HTTPError):
            url = f"http://127.0.0.1:{port}/api/v1/ready"
            return bool(urllib.request.urlopen(url, timeout=TIMEOUT_S).status == 200)
        return False

    probe[0] = str(folder / "opt/streamer/bin" / probe[0])
    assert not healthy()
    command = exec_form(entrypoint)
    command[0] = str(folder / "opt/streamer/bin" / command[0])
    log = folder / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [*POWERLESS, *command], cwd="/tmp", env=environment, stderr=output
        ) as server,
    ):
        try:
            wait_until(lambda: server.poll() is not None or healthy(), "the health check passes")
            assert server.poll() is None, log.read_text()
            wait_until(ready, "the server in the image is ready")
            assert "Ever tried" in transcript(folder, environment, port)
        finally:
            server.send_signal(signal.SIGTERM)
        assert server.wait(TIMEOUT_S) == 0


def transcript(folder: Path, environment: dict[str, str], port: int) -> str:
    """What the image's client prints of a recording, which the image's decoder reads."""
    done = subprocess.run(
        [
            folder / "opt/streamer/bin/streamer-client",
            folder / "models/moonshine-tiny-en/beckett.wav",
            *("-a", f"ws://127.0.0.1:{port}/api/v1/segmented"),
        ],
        cwd="/tmp", env=environment, capture_output=True, text=True, timeout=TIMEOUT_S,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_image_runs_as_a_number_and_hides_nothing_in_a_shell() -> None:
    build, final = stages()
    (user,) = final.all("USER")
    assert all(part.isdecimal() and int(part) > 0 for part in user.split(":"))
    assert build.base == final.base, "the environment is linked to the build's interpreter"
    assert not final.all("RUN"), "the final image is only copied together"
    copied = [argument.split()[1:] for argument in final.all("COPY")]
    assert copied == [["/models", "/models"], ["/opt/streamer", "/opt/streamer"]]


def test_the_build_sees_only_what_it_copies() -> None:
    seen = {str(path) for path in context()}
    copied = [word for line in stages()[0].all("COPY") for word in line.split()[:-1]]
    assert all(any(path == c or path.startswith(f"{c}/") for c in copied) for path in seen)
    assert not [path for path in seen if path.endswith((".ort", ".onnx", ".wav", ".pyc"))]
    assert "models/moonshine-tiny-en/model.json" in seen


def test_the_image_holds_the_versions_that_are_tested() -> None:
    tested = _locked(ROOT / "requirements/development.lock")
    image = _locked(ROOT / "requirements/image.lock")
    assert image.items() <= tested.items(), "run `make lock`"
    assert not {"pytest", "mypy", "ruff", "matplotlib"} & image.keys()


def _locked(lock: Path) -> dict[str, str]:
    """Each package's name, and its version with all hashes."""
    entries = "".join(
        line for line in lock.read_text().splitlines(keepends=True) if "#" not in line
    ).replace("\\\n", "")
    return {line.split("==")[0]: line for line in entries.splitlines() if "==" in line}
