"""WhisperLive: whisper over what a stream has sent, again and again; Python over CTranslate2.

Its wire: a JSON object with the options, then float32 samples; `END_OF_AUDIO` ends the stream
without waiting for texts. Answers repeat the last segments; those with `completed` are final.
"""

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np

from tools.bench.peers.peer import Connection, Description, Final, Peer, SegmentingConnection
from tools.bench.peers.peer_process import installed, running
from tools.bench.peers.websocket_stream import WebSocketStream, open_websocket
from tools.bench.peers.whisper_weights import MODEL, whisper_weights
from tools.harness.ports import free_port

ENVIRONMENT = "whisper-live"

REPEATS = 1
"""`same_output_threshold` in the client's options. Its default, 10, makes a text final after twelve
inferences that agree, seconds after speech has ended."""

READY_S = 60.0
"""Seconds in which the model has to be loaded, which the first client causes."""

LINGER_S = 20.0
"""Seconds that the last texts may take."""


class WhisperLive(Peer):
    """The server with its faster-whisper backend and Whisper tiny.en."""

    description = Description(
        server="WhisperLive 0.10.0",
        model=f"{MODEL}, int8",
        told=False,
        interims=True,
        given=(
            "one model for all clients, no limit of clients; told the language; its VAD; a text is "
            f"final after {REPEATS + 2} inferences that agree (its default is 12)"
        ),
        first_streams=1,
    )

    @contextlib.contextmanager
    def serving(self, cores: int) -> Iterator[tuple[int, int]]:
        """Run it with a thread for each core."""
        python, port = installed(ENVIRONMENT, "python"), free_port()
        script = Path(__file__).with_name("whisper_live_server.py")
        # -P: this folder has a module with the server's name.
        command: list[str | Path] = [python, "-P", script, str(port), whisper_weights(ENVIRONMENT)]
        env = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(cores), "CUDA_VISIBLE_DEVICES": ""}
        with running(command, port, env) as served:
            yield served

    async def connect(self, port: int) -> Connection:
        """Open a stream, and wait until its model is there."""
        socket = await open_websocket(port)
        options = {
            "uid": str(uuid.uuid4()),
            "language": "en",
            "task": "transcribe",
            "model": "base",
            "use_vad": True,
            "same_output_threshold": REPEATS,
        }
        await socket.send_text(json.dumps(options))
        messages = socket.texts()
        async with asyncio.timeout(READY_S):
            async for message in messages:
                if json.loads(message).get("message") == "SERVER_READY":
                    return _Segments(socket, messages)
        raise ConnectionError("WhisperLive closed the socket instead of getting ready")


class _Segments(SegmentingConnection):
    """One stream; each completed segment once."""

    def __init__(self, socket: WebSocketStream, messages: AsyncIterator[str]) -> None:
        self._socket = socket
        self._messages = messages

    async def send(self, pcm: bytes) -> None:
        samples = (np.frombuffer(pcm, "<i2") / 32768).astype("<f4")
        await self._socket.send_binary(samples.tobytes())

    async def finish(self) -> None:
        await asyncio.sleep(LINGER_S)
        await self._socket.send_binary(b"END_OF_AUDIO")

    async def finals(self) -> AsyncIterator[Final]:
        known: set[str] = set()
        async for message in self._messages:
            for segment in json.loads(message).get("segments", ()):
                if segment.get("completed") and segment["start"] not in known:
                    known.add(segment["start"])
                    start_s, end_s = float(segment["start"]), float(segment["end"])
                    yield Final(segment["text"], None, start_s, end_s)

    async def close(self) -> None:
        await self._socket.close()
