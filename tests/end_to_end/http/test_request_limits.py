"""What requests may cost: bytes, seconds, slots; and what is left when a client goes away."""

import http.client
import re
import select
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pytest

from tests.end_to_end.conftest import Launch
from tests.end_to_end.http.posting import (
    KINDS,
    analyze,
    analyzed,
    encoded,
    post,
    refused,
    temporary_files,
    wav,
)
from tools.harness.process import TIMEOUT_S, Server, wait_until
from tools.harness.sounds import recording, silence

BECKETT = wav(*recording("beckett.wav"))


def chunks(body: bytes) -> Iterator[bytes]:
    for first in range(0, len(body), 10_000):
        yield body[first : first + 10_000]


def begin(server: Server, body: bytes, path: str = "/api/v1/analyze") -> socket.socket:
    """Send a request, and do not wait for the answer."""
    connection = socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


def counters(server: Server) -> dict[str, int]:
    found: dict[str, int] = server.get("/api/v1/info").json()["inference"]
    return found


@pytest.mark.parametrize("path", ["/api/v1/analyze", "/v1/audio/transcriptions"])
def test_a_body_that_is_too_long(launch: Launch, path: str) -> None:
    server = launch({"model": {"type": "standin"}, "limits": {"max_upload_bytes": 100_000}})
    media_type = "multipart/form-data; boundary=x" if "v1/audio" in path else None
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    body = form + BECKETT if media_type else BECKETT
    for sent in (body, chunks(body)):
        reply = post(server, path, sent, media_type)
        assert reply.status == 413
        error = reply.json()["error"]
        assert error["code"] == "too_large"
        assert error["message"].endswith("; allowed: limits.max_upload_bytes, 100000")
    assert temporary_files(server) == []
    assert analyze(server, BECKETT[:30]).status == 400


def test_a_recording_that_is_too_long(launch: Launch) -> None:
    limits = {"max_recording_seconds": 5, "max_audio_seconds": 2}
    server = launch({"model": {"type": "standin"}, "limits": limits})
    for kind in KINDS:
        body = encoded(*recording("beckett.wav"), kind)
        message = refused(analyze(server, body), 413, "too_long")
        assert message.endswith("longer than 5 s; allowed: limits.max_recording_seconds, 5")
    raw = analyze(server, silence(5.1).data, sample_rate=16_000)
    refused(raw, 413, "too_long")
    assert analyze(server, silence(5).data, sample_rate=16_000).status == 200
    whole = analyze(server, silence(2.1).data, sample_rate=16_000, vad="false")
    message = refused(whole, 413, "too_long")
    assert message.endswith("longer than 2 s; allowed: limits.max_audio_seconds, 2")


def test_two_hours_are_not_held_in_memory(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}, "vad": {"engine": "webrtc"}})
    body = encoded(np.zeros(16_000 * 7_200), 16_000, KINDS[5])
    assert len(body) < 2_000_000
    analyzed(server, encoded(np.zeros(16_000), 16_000, KINDS[5]))
    memory = psutil.Process(server.process.pid)
    before = memory.memory_info().rss
    peak = before
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(analyzed, server, body)
        while not answer.done():
            peak = max(peak, memory.memory_info().rss)
            time.sleep(0.01)
    assert answer.result()["duration_seconds"] == 7_200
    assert peak - before < 60 << 20  # decoded, it has 440 MiB


def test_a_bomb_of_unknown_length_is_stopped_at_the_limit(launch: Launch) -> None:
    """An hour in 50 kB, of which the header says nothing: it is counted while it is decoded."""
    limits = {"max_recording_seconds": 60}
    server = launch({"model": {"type": "standin"}, "vad": {"engine": "webrtc"}, "limits": limits})
    body = bytearray(encoded(np.zeros(16_000 * 3_600), 16_000, KINDS[5]))
    body[21] &= 0xF0
    body[22:26] = bytes(4)  # the samples in STREAMINFO (RFC 9639, 8.2): unknown
    assert len(body) < 1_000_000
    message = refused(analyze(server, bytes(body)), 413, "too_long")
    assert message.endswith("longer than 60 s; allowed: limits.max_recording_seconds, 60")
    series = server.get("/metrics").text
    (received_s,) = re.findall(r'channel_audio_seconds_total\{[^}]*"received"[^}]*\} (\S+)', series)
    assert float(received_s) <= 61, "nothing is decoded behind the limit"


def test_no_more_requests_than_slots(launch: Launch) -> None:
    server = launch(
        {
            "model": {"type": "standin", "options": {"delay": 600}},
            "limits": {"max_concurrent_requests": 2},
            "inference": {"timeout_seconds": 900},
        }
    )
    held = [begin(server, BECKETT), begin(server, BECKETT)]
    try:
        wait_until(lambda: analyze(server, b"").status == 503, "both slots are taken")
        for path in ("/api/v1/analyze", "/analyze_pcm_s16le", "/v1/audio/transcriptions"):
            reply = post(server, path, b"", "application/octet-stream")
            assert reply.status == 503
            assert int(reply.headers["retry-after"]) >= 1
            assert reply.json()["error"]["code"] == "overloaded"
            assert "limits.max_concurrent_requests, 2" in reply.json()["error"]["message"]
        assert server.get("/health").status == 200
    finally:
        for connection in held:
            connection.close()
    wait_until(lambda: analyze(server, b"").status == 400, "the slots are free again")


def test_a_client_that_goes_away_stops_the_work(launch: Launch) -> None:
    model = {"type": "standin", "options": {"delay": 1}}
    server = launch({"model": model, "inference": {"workers": 1}})
    # Long enough to lie on disk, with far more segments than a second's worth.
    body = wav(np.tile(recording("beckett.wav")[0], 10))
    connection = begin(server, body)
    wait_until(lambda: counters(server)["finals"] > 0, "the first segment is done")
    assert temporary_files(server)
    connection.close()
    wait_until(lambda: temporary_files(server) == [], "its file is gone")
    assert analyze(server, wav(np.zeros(16_000)), vad="false").status == 200
    # What ran, at most one more by then, and the request after it.
    assert counters(server)["finals"] <= 4
    assert '"level": "error"' not in server.log()


def test_a_client_that_goes_away_while_it_sends(standin: Server) -> None:
    connection = socket.create_connection(("127.0.0.1", standin.port), TIMEOUT_S)
    connection.sendall(
        b"POST /api/v1/analyze HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n"
    )
    connection.sendall(bytes(3_000_000))
    wait_until(lambda: temporary_files(standin), "it is received")
    connection.close()
    wait_until(lambda: temporary_files(standin) == [], "its file is gone")


def test_a_client_that_stops_sending(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}, "limits": {"idle_seconds": 0.5}})
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)
    connection.putrequest("POST", "/api/v1/analyze")
    connection.putheader("Content-Length", "1000")
    connection.endheaders(b"RIFF")
    response = connection.getresponse()
    assert response.status == 408
    assert b"nothing received for limits.idle_seconds (0.5)" in response.read()
    connection.close()


def test_a_client_that_sends_too_slowly(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}, "limits": {"idle_seconds": 0.5}})
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)
    connection.putrequest("POST", "/api/v1/analyze")
    connection.putheader("Content-Length", "100000")
    connection.endheaders(b"RIFF")
    # A byte every so often: nothing is ever missing for long.
    while not select.select([connection.sock], [], [], 0.05)[0]:
        connection.send(b"R")
    response = connection.getresponse()
    assert response.status == 408
    assert b"less than 4096 bytes a second received" in response.read()
    connection.close()


def test_not_before_the_model_is_ready(launch: Launch) -> None:
    model = {"type": "standin", "options": {"warmup_penalty": 2}}
    server = launch({"model": model}, ready=False)
    reply = analyze(server, BECKETT)
    assert "the model standin is loading" in refused(reply, 503, "not_ready")
    assert int(reply.headers["retry-after"]) >= 1
    server.wait_ready()
    assert analyze(server, BECKETT).status == 200


def test_segments_without_a_result_are_named(launch: Launch) -> None:
    model = {"type": "standin", "options": {"failure_rate": 0.5, "seed": 1}}
    server = launch({"model": model, "inference": {"workers": 1, "early_finals": False}})
    answer = analyzed(server, BECKETT)
    assert len(answer["segments"]) + len(answer["errors"]) == 6
    for error in answer["errors"]:
        assert error["code"] == "inference_failed"
        assert error["start_time"] < error["end_time"]
    message = refused(analyze(server, BECKETT, format="text"), 500, "inference_failed")
    assert message.startswith("from ")


@pytest.mark.parametrize("path", ["/api/v1/analyze", "/v1/audio/transcriptions"])
@pytest.mark.skipif(not hasattr(psutil.Process, "rlimit"), reason="needs prlimit")
def test_no_room_for_a_body_on_disk(launch: Launch, path: str) -> None:
    server = launch({"model": {"type": "standin"}})
    psutil.Process(server.process.pid).rlimit(psutil.RLIMIT_FSIZE, (2 << 20, 2 << 20))
    media_type = "multipart/form-data; boundary=x" if "v1/audio" in path else None
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    body = wav(np.zeros(2_000_000))
    reply = post(server, path, form + body + b"\r\n--x--\r\n" if media_type else body, media_type)
    assert reply.status == 503
    assert int(reply.headers["retry-after"]) >= 1
    assert reply.json()["error"]["code"] == "overloaded"
    assert temporary_files(server) == []
    assert analyze(server, BECKETT).status == 200
