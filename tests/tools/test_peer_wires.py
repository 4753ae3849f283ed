"""Each peer's wire, against a small server that speaks it; real peers where they are installed."""

import asyncio
import json
import struct
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from websockets.asyncio.server import ServerConnection, serve

from streamer.vad.silero_network import SAMPLE_RATE
from tools.bench.peers import __main__ as program
from tools.bench.peers import moonshine_voice, peer_process, whisper_live
from tools.bench.peers.every_peer import PEERS
from tools.bench.peers.load import PlayedStream, play
from tools.bench.peers.measurement import Plan
from tools.bench.peers.peer import Absent, Peer
from tools.bench.peers.peer_process import running
from tools.bench.peers.score import latencies_ms, score, text
from tools.bench.peers.sherpa_offline import SherpaOffline, write_tokens
from tools.bench.peers.utterances import Playlist, Reading, Utterance, readings
from tools.bench.peers.wyoming_whisper import WyomingWhisper
from tools.bench.reference import recordings
from tools.bench.result_files import Row
from tools.harness.ports import free_port

HALF = np.full(SAMPLE_RATE // 2, 16_384, np.int16).tobytes()
"""Half a second of audio."""

TWICE = Playlist((Utterance(HALF, 0.4), Utterance(HALF * 2, 0.9)), "one two")


@pytest.fixture(autouse=True)
def _short_silences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.bench.peers.utterances.GAP_S", 0.2)
    monkeypatch.setattr(whisper_live, "LINGER_S", 0.2)


@asynccontextmanager
async def websocket_server(
    handle: Callable[[ServerConnection], Coroutine[None, None, None]],
) -> AsyncIterator[int]:
    async with serve(handle, "127.0.0.1", 0, max_size=None) as server:
        yield next(iter(server.sockets)).getsockname()[1]


async def played(peer: Peer, port: int, playlist: Playlist = TWICE) -> PlayedStream:
    (stream,) = await play(peer, port, [playlist])
    return stream


async def test_sherpa_gets_each_utterance_whole_when_it_is_over() -> None:
    async def handle(socket: ServerConnection) -> None:
        async for message in socket:
            if message == "Done":
                return
            assert isinstance(message, bytes)
            rate, size = struct.unpack("<ii", message[:8])
            samples = np.frombuffer(message[8:], "<f4")
            assert (rate, size) == (SAMPLE_RATE, samples.nbytes)
            assert set(samples) == {0.5}
            await socket.send(json.dumps({"text": f"{len(samples)} samples"}))

    async with websocket_server(handle) as port:
        stream = await played(SherpaOffline("moonshine-tiny-en", 1), port)
    assert text(stream) == "8000 samples 16000 samples"
    assert all(latency < 10_000 for latency in latencies_ms(stream))
    assert stream.broken == ""


def test_sherpa_reads_the_tokens_as_base64(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.bin").write_bytes(b"\x03<s>\x01a")
    write_tokens(tmp_path / "tokenizer.bin", tmp_path / "tokens.txt")
    assert (tmp_path / "tokens.txt").read_text() == "PHM+ 0\nYQ== 1\n"


async def test_wyoming_gets_a_connection_for_each_utterance() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kinds, audio = [], b""
        while line := await reader.readline():
            event = json.loads(line)
            kinds.append(event["type"])
            audio += await reader.readexactly(event["payload_length"])
            if event["type"] == "audio-stop":
                break
        assert [*kinds[:2], kinds[-1]] == ["transcribe", "audio-start", "audio-stop"]
        assert set(kinds[2:-1]) == {"audio-chunk"}
        data = json.dumps({"text": f"{len(audio)} bytes"}).encode()
        for kind, payload in (("voice-stopped", b"{}"), ("transcript", data)):
            head = {"type": kind, "data_length": len(payload)}
            writer.write(json.dumps(head).encode() + b"\n" + payload)
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        stream = await played(WyomingWhisper(), server.sockets[0].getsockname()[1])
    assert text(stream) == "16000 bytes 32000 bytes"


async def test_an_utterance_that_wyoming_does_not_answer_is_lost() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await reader.read()
        if b"transcribe" in data:
            writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        one = Playlist(TWICE.utterances[:1], "one")
        task = played(WyomingWhisper(), port, one)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tools.bench.peers.load.PATIENCE_S", 0.2)
            stream = await task
    assert score([stream]).lost == 1


async def test_whisper_live_gets_options_and_floats_and_repeats_its_segments() -> None:
    async def handle(socket: ServerConnection) -> None:
        options = json.loads(await socket.recv())
        assert options["language"] == "en"
        assert options["same_output_threshold"] == whisper_live.REPEATS
        await socket.send(json.dumps({"message": "SERVER_READY"}))
        received = 0
        first = {"start": "0.000", "end": "0.450", "text": "one", "completed": True}
        open_one = {"start": "0.700", "end": "1.500", "text": "tw", "completed": False}
        while (message := await socket.recv()) != b"END_OF_AUDIO":
            assert isinstance(message, bytes)
            received += len(message) // 4
            if received > SAMPLE_RATE:
                last = {**open_one, "text": "two", "completed": True}
                await socket.send(json.dumps({"segments": [first, last]}))
            else:
                await socket.send(json.dumps({"segments": [first, open_one]}))

    async with websocket_server(handle) as port:
        stream = await played(whisper_live.WhisperLive(), port)
    assert text(stream) == "one two"
    assert score([stream]).lost == 0


async def test_a_peer_that_hangs_up_loses_what_it_has_not_answered() -> None:
    async def handle(socket: ServerConnection) -> None:
        await socket.recv()

    async with websocket_server(handle) as port:
        stream = await played(SherpaOffline("moonshine-tiny-en", 1), port)
    assert score([stream]).lost == 2


async def test_a_peer_that_does_not_accept_is_no_crash() -> None:
    stream = await played(SherpaOffline("moonshine-tiny-en", 1), free_port())
    assert "not connected" in stream.broken


FAKE_LIBRARY: Mapping[str, str] = {
    "__init__.py": "def get_model_path(name):\n    return name\n",
    "moonshine_api.py": "import enum\nModelArch = enum.Enum('ModelArch', 'TINY')\n",
    "transcriber.py": """
import dataclasses

@dataclasses.dataclass
class Line:
    text: str
    start_time: float
    duration: float

@dataclasses.dataclass
class LineCompleted:
    line: Line

class Stream:
    def __init__(self):
        self.samples = []
    def add_listener(self, listener):
        self.listener = listener
    def start(self):
        pass
    def add_audio(self, samples, rate):
        self.samples += samples
    def stop(self):
        text = f"{len(self.samples)} samples of {set(self.samples)}"
        self.listener(LineCompleted(Line(text, 0.0, len(self.samples) / 16000)))
    def close(self):
        pass

class Transcriber:
    def __init__(self, path, arch):
        assert path == "tiny-en"
    def create_stream(self):
        return Stream()
""",
}
"""As much of moonshine-voice as the script uses."""


async def test_the_script_for_moonshine_voice_serves_its_streams(tmp_path: Path) -> None:
    library = tmp_path / "moonshine_voice"
    library.mkdir()
    for name, source in FAKE_LIBRARY.items():
        (library / name).write_text(source)
    script, port = (
        Path(moonshine_voice.__file__).with_name("moonshine_voice_server.py"),
        free_port(),
    )
    command: list[str | Path] = [sys.executable, "-P", script, str(port), "2"]
    one = Playlist(TWICE.utterances[:1], "one")
    with running(command, port, {"PYTHONPATH": str(tmp_path)}):
        streams = await play(moonshine_voice.MoonshineVoice(), port, [one] * 3)
    heard = SAMPLE_RATE // 2 + round(0.2 * SAMPLE_RATE)
    assert all(text(stream).startswith(f"{heard} samples of ") for stream in streams)
    assert all("0.5" in text(stream) for stream in streams)


def test_a_peer_that_is_measured_again_replaces_its_row_alone() -> None:
    def tables(name: str, most: int) -> dict[str, list[Row]]:
        row: Row = {"server": name, "model": "m", "ends of speech": "told", "interims": False}
        absent: list[Row] = [{"server": "never", "reason": "no weights"}]
        given: list[Row] = [{"peer": name, "given": "much"}]
        return {"rows": [{**row, "most": most}], "given": given, "loads": [], "absent": absent}

    before = program.merged(tables("a", 1), tables("b", 2))
    before["absent"].append({"server": "c", "reason": "not installed"})
    again = program.merged(program.merged(before, tables("a", 3)), tables("c", 4))
    assert [(row["server"], row["most"]) for row in again["rows"]] == [("b", 2), ("a", 3), ("c", 4)]
    assert [row["peer"] for row in again["given"]] == ["b", "a", "c"]
    assert [row["server"] for row in again["absent"]] == ["never"]


def test_a_peer_that_does_not_start_says_why() -> None:
    command = [sys.executable, "-c", "raise SystemExit('the weights are missing')"]
    with pytest.raises(Absent, match=r"does not start: the weights are missing"):
        running(command, free_port()).__enter__()


def test_a_peer_that_is_not_installed_is_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer_process, "ENVIRONMENTS", tmp_path)
    told: list[str] = []
    others = {name: peer for name, peer in PEERS.items() if "streamer" not in name}
    plan = Plan([Reading("one", TWICE.utterances)], 1, 1)
    *_, tables = program.compare(others, plan, told.append)
    assert tables["rows"] == []
    reasons = {row["server"]: str(row["reason"]) for row in tables["absent"]}
    assert len(reasons) == len(others) + 1
    assert "`make peers`" in reasons["WhisperLive 0.10.0"]
    assert any("WhisperLive 0.10.0: not installed" in line for line in told)


@pytest.mark.parametrize("name", sorted(PEERS.keys() - {"streamer-interims", "streamer-base"}))
async def test_a_real_peer_answers(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.bench.peers.utterances.GAP_S", 2.0)
    monkeypatch.setattr(whisper_live, "LINGER_S", 6.0)
    reading = readings(recordings(None))[1]
    one = Playlist(reading.utterances[:1], reading.transcript)
    try:
        with PEERS[name].serving(2) as (port, _):
            stream = await played(PEERS[name], port, one)
    except Absent as reason:
        pytest.skip(f"{name}: {reason}")
    assert stream.broken == ""
    assert "failed" in text(stream).lower()
    assert score([stream]).lost == 0
