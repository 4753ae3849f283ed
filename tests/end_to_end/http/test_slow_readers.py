"""A client that asks for text as it comes, and does not read it: the server waits for it."""

import http.client
import json
import socket
import time
from pathlib import Path

import numpy as np

from tests.end_to_end.conftest import Launch
from tests.end_to_end.http.posting import wav
from tools.harness.process import TIMEOUT_S, Server, wait_until
from tools.harness.sounds import recording

TALKATIVE = """
from streamer import Model

class Talkative(Model):
    def infer(self, samples):
        return {"text": "la" * 20_000}
"""
"""So much text that the buffers of a socket hold few segments of it."""

SOCKET_BUFFER_BYTES = 1 << 16
HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
STREAM = b'--x\r\nContent-Disposition: form-data; name="stream"\r\n\r\ntrue\r\n'


def finals(server: Server) -> int:
    return int(server.get("/api/v1/info").json()["inference"]["finals"])


def standstill(server: Server) -> int:
    """The number of results when no more come for a while."""
    counts = [-1]

    def no_more() -> bool:
        counts.append(finals(server))
        time.sleep(0.5)
        return counts[-1] == counts[-2] > 0

    wait_until(no_more, "nothing is transcribed any more")
    return counts[-1]


def test_a_recording_waits_for_its_reader(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "talkative.py").write_text(TALKATIVE)
    server = launch(
        {
            "model": {"type": "talkative:Talkative"},
            "vad": {
                "engine": "webrtc",
                "prefix_padding_ms": 100,
                "min_speech_ms": 100,
                "max_segment_ms": 1_000,
            },
            "limits": {"send_timeout_seconds": TIMEOUT_S},
        }
    )
    samples, rate = recording("two_cities.wav")
    sound = wav(np.tile(samples[::3], 18), rate // 3)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)
    connection.sock = socket.socket()
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER_BYTES)
    connection.sock.connect(("127.0.0.1", server.port))
    body = STREAM + HEAD + sound + b"\r\n--x--\r\n"
    media_type = {"Content-Type": "multipart/form-data; boundary=x"}
    connection.request("POST", "/v1/audio/transcriptions", body, media_type)
    before = standstill(server)
    response = connection.getresponse()
    events = [json.loads(line[6:]) for line in response if line.startswith(b"data: ")]
    connection.close()
    deltas = [event for event in events if event["type"] == "transcript.text.delta"]
    assert events[-1]["type"] == "transcript.text.done"
    assert events[-1]["text"].split() == ["la" * 20_000] * len(deltas)
    assert before < len(deltas) * 2 // 3, "inference waited while the client read nothing"
