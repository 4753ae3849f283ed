"""The image is built and serves, here and on its base image."""

import asyncio
import os
import shutil
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.end_to_end.http.posting import KINDS, encoded
from tests.end_to_end.rpc.health import health_of
from tests.end_to_end.telemetry.receiver import Receiver, grpc_receiver, http_receiver
from tests.operations.image_server import Image, serving, transcript
from tools.harness.image import Build, context, stages
from tools.harness.image_root import add_layers, can_change_root, command_in, environment_of
from tools.harness.monitoring import ROOT
from tools.harness.ports import free_port
from tools.harness.process import TIMEOUT_S, wait_until
from tools.harness.sounds import recording
from tools.release.base_image import MOST_MB as MOST_BASE_MB
from tools.release.base_image import PYTHON, RELEASE, unpack_base
from tools.release.image_size import MOST_MB, image_python, layers

SETPRIV = (
    *("setpriv", "--reuid=10001", "--regid=10001", "--clear-groups", "--no-new-privs"),
    # Only to get at an interpreter that lies in a home; the image's is for everybody.
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
    "--bounding-set=-all,+dac_read_search",
)
POWERLESS = SETPRIV if os.getuid() == 0 else ()
"""Runs a command as the image's user, who can write nowhere but in /tmp and /dev/shm."""

LOADS_ALL = """
import ctypes, pathlib
found = [ctypes.CDLL(str(path)) for path in pathlib.Path("/opt/streamer").rglob("*.so*")]
print(len(found))
"""

BUILD_S = 600


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One that other users can read, which pytest's own are not."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def build(folder: Path) -> Build:
    made = Build(folder / "layers", image_python())
    made.run()
    return made


@pytest.fixture(scope="module")
def based(folder: Path, build: Build) -> Image:
    """The image on its base image, whose programs see nothing else of this machine."""
    if not can_change_root():
        pytest.skip("only root can run programs below another root")
    for name in ("root", "scratch"):
        (folder / name).mkdir()
    root = folder / "root"
    parts = unpack_base(root, folder / "scratch")
    if parts is None or image_python().rpartition("python")[2] != PYTHON:
        pytest.skip(f"no packages of Debian's {RELEASE}, or no Python {PYTHON}")
    assert sum(parts.values()) <= MOST_BASE_MB
    add_layers(build, root, f"/usr/bin/python{PYTHON}")
    (user,) = build.final.all("USER")
    return Image(build.final, Path("/"), environment_of(build), command_in(root, user))


@pytest.mark.timeout(BUILD_S)
def test_the_image_holds_what_serves_and_nothing_else(build: Build) -> None:
    packages = {path.name for path in build.folder.glob("opt/streamer/lib/*/site-packages/*")}
    assert {"streamer", "streamer_client", "onnxruntime"} <= packages
    assert not packages & {"pip", "setuptools", "setuptools_scm", "pygments", "pytest", "mypy"}
    assert sum(layers(build).values()) <= MOST_MB - MOST_BASE_MB


@pytest.mark.timeout(BUILD_S)
def test_the_image_serves_without_rights(build: Build) -> None:
    image = Image(build.final, build.folder, build.environment(), POWERLESS)
    with serving(image) as port:
        assert "Ever tried" in transcript(image, port)


@pytest.mark.timeout(BUILD_S)
def test_every_library_of_the_image_finds_what_it_is_linked_with(based: Image) -> None:
    done = based.run("python", "-c", LOADS_ALL)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100


@pytest.mark.timeout(BUILD_S)
@pytest.mark.parametrize(
    ("receiving", "protocol"), [(grpc_receiver, "grpc"), (http_receiver, "http/protobuf")]
)
def test_on_its_base_image_the_image_does_all_that_it_promises(
    based: Image,
    receiving: Callable[[], AbstractContextManager[tuple[Receiver, str]]],
    protocol: str,
) -> None:
    rpc_port = free_port()
    with (
        receiving() as (receiver, endpoint),
        serving(
            based,
            STREAMER_GRPC__PORT=str(rpc_port),
            OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
            OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
            OTEL_BSP_SCHEDULE_DELAY="100",
        ) as port,
    ):
        assert "Ever tried" in transcript(based, port)
        for kind in KINDS:
            body = encoded(*recording("beckett.wav"), kind)
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/api/v1/analyze", body, {"Content-Type": kind.media_type}
            )
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:
                assert "Ever tried" in reply.read().decode(), kind
        assert asyncio.run(health_of(f"127.0.0.1:{rpc_port}")) == "SERVING"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as reply:
            assert "streamer_" in reply.read().decode()
        wait_until(
            lambda: any(span.name == "session" for span in receiver.spans), "a trace has arrived"
        )


def test_the_image_runs_as_a_number_and_hides_nothing_in_a_shell() -> None:
    build, final = stages()
    (user,) = final.all("USER")
    assert all(part.isdecimal() and int(part) > 0 for part in user.split(":"))
    assert build.base == f"debian:{RELEASE}-slim"
    assert final.base == "gcr.io/distroless/python3-debian13", "it has the build's interpreter"
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
