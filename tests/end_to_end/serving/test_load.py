"""The load generator against a real server: what it counts is what happened."""

import json
import re
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from streamer.__main__ import main
from streamer.cli.load import MEANINGS
from streamer.load.generate import generate
from streamer.load.plan import LoadPlan
from streamer_client.errors import CannotConnect, InvalidAddress, ServerError
from streamer_client.formats import AudioFormat
from tests.end_to_end.conftest import Launch
from tools.harness.process import TIMEOUT_S, Server
from tools.harness.sounds import beckett

FORMAT = AudioFormat(16_000, 1, 16)
ROOT = Path(__file__).parents[3]


@pytest.fixture
def guarded(launch: Launch) -> Server:
    return launch({"model": {"type": "standin"}, "access": {"tokens": ["right"]}})


def _plan(address: str, audio_format: AudioFormat = FORMAT) -> LoadPlan:
    return LoadPlan(address, 3, 4.0, beckett().data, audio_format, spread_s=0.2)


def _address(server: Server) -> str:
    return f"ws://127.0.0.1:{server.port}/api/v1/segmented"


def test_every_final_is_counted_with_its_wait(standin: Server) -> None:
    report = generate(_plan(_address(standin)))
    assert report.unfinished == 0
    assert report.lost == 0
    assert report.events["stopped"] == 3
    assert report.audio_s == pytest.approx(12)
    assert len(report.final_ms) + len(report.closing_ms) == report.events["segment"] >= 3
    # Those in mid-stream waited for the silence that ends a segment, and no others are among them.
    assert min(report.final_ms) >= 550
    assert report.closing_ms
    assert report.shown_ms == report.final_ms, "there are no interims"
    assert all(
        after <= final for after, final in zip(report.settled_ms, report.final_ms, strict=True)
    )


def test_the_last_words_are_shown_with_the_final_at_the_latest(standin: Server) -> None:
    report = generate(replace(_plan(_address(standin)), interim_results=True))
    assert len(report.shown_ms) == len(report.final_ms) > 0
    assert all(s <= f for s, f in zip(report.shown_ms, report.final_ms, strict=True))
    assert min(report.shown_ms) > 0


def test_nothing_is_lost_where_no_segment_is_announced(standin: Server) -> None:
    report = generate(_plan(_address(standin).replace("segmented", "simple")))
    assert report.unfinished == report.lost == 0
    assert len(report.final_ms) + len(report.closing_ms) == report.events["segment"] > 0
    assert report.final_ms
    assert not report.settled_ms


def test_the_command_of_the_page_says_what_came(standin: Server) -> None:
    page = (ROOT / "docs/performance.md").read_text()
    (shown,) = re.findall(r"`\.venv/bin/streamer (load .*?)`", page)
    command = Path(sys.executable).with_name("streamer")
    run = subprocess.run(
        [command, *shown.split(), "-a", _address(standin), "--json"],
        capture_output=True,
        timeout=TIMEOUT_S,
        check=True,
        cwd=ROOT,
    )
    figures = json.loads(run.stdout)
    assert figures["events"]["stopped"] == 8
    assert figures["audio_seconds"] == 80
    assert figures["lost"] == figures["unfinished"] == 0


@pytest.mark.parametrize("seconds", ["0", "0.01", "-1", "1e308", "nan", "inf", "long"])
def test_a_length_that_is_none(
    seconds: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["streamer", "load", "--audio", "x", f"--seconds={seconds}"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert f"{seconds!r} is not a number of seconds from 1 to 86400" in capsys.readouterr().err


def test_an_address_where_nobody_listens(standin: Server) -> None:
    with pytest.raises(CannotConnect):
        generate(_plan("ws://127.0.0.1:1/api/v1/segmented"))
    with pytest.raises(CannotConnect, match=r"no stream at .*/nowhere \(HTTP 404\); use ws://"):
        generate(_plan(f"ws://127.0.0.1:{standin.port}/nowhere"))
    with pytest.raises(InvalidAddress):
        generate(_plan("http://127.0.0.1/"))


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (b"220 mail.example ESMTP\r\n\r\n", None, "answered 220 mail.example ESMTP"),
        (
            b"HTTP/1.1 503 No\r\n\r\n" + b"[" * 4_000,
            503,
            "cannot take another stream now (HTTP 503)",
        ),
        (
            b'HTTP/1.1 503 No\r\n\r\n{"error": {"message": 1}}',
            503,
            "cannot take another stream now (HTTP 503)",
        ),
        (b"HTTP/1.1 502 No\r\n\r\n<p>no</p>", 502, "is a proxy that reached no server (HTTP 502)"),
        (
            b'HTTP/1.1 429 No\r\n\r\n{"error": {"message": "later"}}',
            429,
            "takes no more requests for now (HTTP 429): later",
        ),
    ],
)
def test_what_is_not_this_server(answer: bytes, status: int | None, says: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(TIMEOUT_S)

        def reply() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=reply)
        thread.start()
        with pytest.raises(CannotConnect) as caught:
            generate(_plan(f"ws://127.0.0.1:{listening.getsockname()[1]}/"))
        thread.join()
    assert caught.value.status == status
    assert str(caught.value).endswith(says)


def test_a_stream_that_the_server_refuses(standin: Server) -> None:
    with pytest.raises(ServerError, match="sample_rate"):
        generate(_plan(_address(standin), AudioFormat(100, 1, 16)))


def test_no_room_is_told_with_its_reason(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}, "limits": {"max_sessions_per_ip": 2}})
    with pytest.raises(CannotConnect, match=r"503.*limits\.max_sessions_per_ip is 2") as caught:
        generate(_plan(_address(server)))
    assert caught.value.status == 503


@pytest.mark.parametrize(
    ("address", "options", "code", "says"),
    [
        ("ws://127.0.0.1:1/", [], 3, "start a server with 'make run' or give its address with -a"),
        ("http://127.0.0.1:1/", [], 2, "did you mean ws://127.0.0.1:1/api/v1/segmented?"),
        ("/nowhere", [], 3, "use ws://127.0.0.1:"),
        ("/api/v1/segmented", [], 4, "give one with --token or in STREAMER_TOKEN"),
        ("/api/v1/segmented", ["--token", "x"], 4, "give another with --token"),
    ],
)
def test_the_command_says_what_the_client_would(
    guarded: Server, address: str, options: list[str], code: int, says: str
) -> None:
    url = address if "://" in address else f"ws://127.0.0.1:{guarded.port}{address}"
    run = _run("load", "--audio", "models/moonshine-tiny-en/beckett.wav", "-a", url, *options)
    assert run.returncode == code
    assert says in run.stderr
    assert run.stderr.count("\n") == 1


def test_each_figure_is_explained(standin: Server) -> None:
    audio = "models/moonshine-tiny-en/beckett.wav"
    run = _run("load", "--audio", audio, "-a", _address(standin), "-n", "1", "--seconds", "1")
    assert run.returncode == 0
    assert all(meaning in run.stdout for meaning in MEANINGS.values())


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).with_name("streamer")
    return subprocess.run(
        [command, *arguments],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        cwd=ROOT,
    )
