"""How the page and its files are served."""

import http.client
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from streamer.http.page import FOLDER
from tests.end_to_end.conftest import Launch
from tools.harness.process import TIMEOUT_S, Server

ROOT = FOLDER.parents[1]
PAGE = FOLDER / "index.html"


def get(server: Server, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, dict(response.headers), response.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html"),
        ("/web/style.css", "text/css"),
        ("/web/page/app.js", "text/javascript"),
        ("/web/streamer-client/streamer-client.js", "text/javascript"),
        ("/web/streamer-client/client.js", "text/javascript"),
        ("/web/streamer-client/streamer-client.d.ts", "text/plain"),
        ("/web/favicon.svg", "image/svg+xml"),
    ],
)
def test_files_are_what_they_say_and_kept_by_the_browser(
    standin: Server, path: str, media_type: str
) -> None:
    status, headers, body = get(standin, path)
    assert status == 200
    assert headers["content-type"] == f"{media_type}; charset=utf-8"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-cache"
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert not any("unsafe" in sources for sources in policy.values())
    assert body
    again = get(standin, path, **{"If-None-Match": headers["etag"]})
    assert again[0] == 304
    assert again[2] == b""


def test_nothing_outside_of_the_folder_is_served(standin: Server) -> None:
    for path in ("/web/../http/page.py", "/web/%2e%2e/http/page.py", "/web/nothing.js", "/web/"):
        assert get(standin, path)[0] == 404


def test_the_sample_is_a_recording(standin: Server) -> None:
    info = standin.get("/api/v1/info").json()
    status, headers, body = get(standin, f"/{info['sample']}")
    assert status == 200
    assert headers["content-type"] == "audio/wav"
    assert body[:4] == b"RIFF"


def test_without_the_weights_there_is_no_sample(launch: Launch, tmp_path: Path) -> None:
    config = {"model": {"type": "standin"}, "vad": {"engine": "webrtc"}}
    server = launch(config, env={"STREAMER_MODELS": str(tmp_path)})
    assert server.get("/api/v1/info").json()["sample"] is None
    assert get(server, "/sample.wav")[0] == 404


def test_no_address_in_the_page_is_absolute() -> None:
    for path in (PAGE, *FOLDER.rglob("*.js"), *FOLDER.rglob("*.css")):
        text = path.read_text()
        assert re.findall(r"""(?:src|href|url|fetch)\s*[=(]\s*["']?(?:/|https?:)""", text) == []


def test_what_is_installed_holds_the_page(tmp_path: Path) -> None:
    """A wheel, built from a copy, because building leaves things behind."""
    source = tmp_path / "source"
    for name in ("streamer", "client"):
        unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, source / name, ignore=unwanted)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = "import setuptools.build_meta as b, sys; print(b.build_wheel(sys.argv[1]))"
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", build, tmp_path],
        cwd=source, check=True, capture_output=True, timeout=100,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    within = zipfile.ZipFile(wheel).namelist()
    for path in FOLDER.rglob("*"):
        if path.is_file():
            assert f"streamer/web/{path.relative_to(FOLDER)}" in within
    assert wheel.name.startswith("streamer_server-")
    # What another program then has, without the repository.
    program = "import streamer_client as client; print(client.transcribe and client.__file__)"
    code = f"import sys; sys.path.insert(0, {str(wheel)!r}); {program}"
    run = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path, env={}, check=True, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert run.stdout.startswith(str(wheel))


def test_the_package_lists_what_it_is_made_of() -> None:
    folder = FOLDER / "streamer-client"
    package = json.loads((folder / "package.json").read_text())
    assert "dependencies" not in package
    assert sorted([*package["files"], "package.json"]) == sorted(p.name for p in folder.iterdir())
