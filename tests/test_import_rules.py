"""The import rules of `pyproject.toml` are checked: a deliberate breach fails the check."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("streamer", "client/streamer_client", "tools", "tests")


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(root), str(root / "client")))},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("copy")
    shutil.copy(ROOT / "pyproject.toml", root)
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if "node_modules" not in path.parts:
                target = root / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
    return root


def test_the_rules_hold(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("streamer/vad/segmenter.py", "streamer.pipeline.stream"),
        ("streamer/protocol/state.py", "starlette.requests"),
        ("streamer/websocket/turns.py", "streamer.vad.engine"),
        ("streamer/pipeline/outbox.py", "streamer.websocket.signals"),
        ("streamer/session/inbox.py", "streamer.telemetry.setup"),
        ("streamer/http/render.py", "streamer.session.session"),
        ("streamer/inference/queue.py", "streamer.cli.models"),
        ("streamer/app.py", "tools.harness.process"),
        ("streamer/pipeline/stream.py", "streamer_client"),
        ("streamer/check/probe.py", "streamer.telemetry.setup"),
        ("streamer/vad/webrtc.py", "websockets.protocol"),
        ("tools/harness/process.py", "tests.needed"),
        ("client/streamer_client/events.py", "streamer.protocol.events"),
        ("streamer/new_room/__init__.py", "streamer.model"),
    ],
)
def test_a_breach_is_found(copy: Path, module: str, imported: str) -> None:
    """Also inside a function, where it hides from a glance at the top of the file."""
    path = copy / module
    before = path.read_text() if path.exists() else None
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{before or ''}\n\ndef breach() -> None:\n    import {imported}\n")
    try:
        done = lint(copy)
    finally:
        shutil.rmtree(path.parent) if before is None else path.write_text(before)
    assert done.returncode == 1
    assert (
        module.removeprefix("client/")
        .removesuffix("/__init__.py")
        .removesuffix(".py")
        .replace("/", ".")
        in done.stdout
    )
