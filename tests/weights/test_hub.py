"""One file from the hub: a real HTTP server plays it, and another the store it redirects to."""

import http.server
import threading
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from streamer.export.hub import HubError, download
from streamer.weights.manifest_schema import HubSource

SOURCE = HubSource(repository="someone/something", revision="main", file="model.safetensors")
COMMIT = "0123456789abcdef"
CONTENT = bytes(range(256)) * 1000


class Answering(http.server.ThreadingHTTPServer):
    """Answers each path as told: status, headers, body. Remembers what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[tuple[str, str | None]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Answering

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Authorization"]))
        status, headers, body = self.server.answers.get(self.path, (404, {}, b""))
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def start() -> Generator[Callable[[], Answering]]:
    servers = []

    def start() -> Answering:
        server = Answering()
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def hub(start: Callable[[], Answering], monkeypatch: pytest.MonkeyPatch) -> Answering:
    server = start()
    server.answers["/api/models/someone/something/revision/main"] = (
        200,
        {},
        b'{"sha": "%s", "tags": ["audio"]}' % COMMIT.encode(),
    )
    server.answers[FILE] = (200, {}, CONTENT)
    monkeypatch.setenv("HF_ENDPOINT", server.address + "/")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return server


FILE = f"/someone/something/resolve/{COMMIT}/model.safetensors"


def get(folder: Path) -> tuple[str, bytes]:
    counts: list[int] = []
    commit = download(SOURCE, folder / "got", counts.append)
    content = (folder / "got").read_bytes()
    assert sum(counts) == len(content)
    return commit, content


def test_the_file_is_that_of_the_commit_the_revision_stands_for(
    hub: Answering, tmp_path: Path
) -> None:
    assert get(tmp_path) == (COMMIT, CONTENT)
    assert [token for _, token in hub.asked] == [None, None]


def test_the_token_goes_to_the_hub_and_nowhere_else(
    hub: Answering,
    start: Callable[[], Answering],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = start()
    store.answers["/blob"] = (200, {}, CONTENT)
    hub.answers[FILE] = (302, {"Location": f"{store.address}/blob"}, b"")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert get(tmp_path) == (COMMIT, CONTENT)
    assert [token for _, token in hub.asked] == ["Bearer hf_secret"] * 2
    assert store.asked == [("/blob", None)]


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "set HF_TOKEN"), (403, "accept its terms"), (404, "not there"), (503, "answered 503")],
)
def test_a_refusal_says_what_to_do(hub: Answering, tmp_path: Path, status: int, words: str) -> None:
    hub.answers[FILE] = (status, {}, b"no")
    with pytest.raises(HubError, match=words) as caught:
        get(tmp_path)
    assert f"{hub.address}{FILE}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_broke_off_is_refused(hub: Answering, tmp_path: Path) -> None:
    hub.answers[FILE] = (200, {"Content-Length": str(len(CONTENT) + 1)}, CONTENT)
    with pytest.raises(HubError, match=f"broke off after {len(CONTENT)} of {len(CONTENT) + 1}"):
        get(tmp_path)


def test_what_does_not_answer_like_a_hub_is_refused(hub: Answering, tmp_path: Path) -> None:
    hub.answers["/api/models/someone/something/revision/main"] = (200, {}, b"<html>")
    with pytest.raises(HubError, match="does not answer like a hub"):
        get(tmp_path)


def test_a_hub_that_cannot_be_reached_leaves_another_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(HubError, match=r"refused.*--from"):
        get(tmp_path)


def test_an_endpoint_is_a_web_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "file:///etc")
    with pytest.raises(HubError, match="HF_ENDPOINT is 'file:///etc'; allowed: an http"):
        get(tmp_path)
