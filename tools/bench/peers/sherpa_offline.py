"""sherpa-onnx's `sherpa-onnx-offline-websocket-server`, C++, with Moonshine.

Its wire: a binary message with the sample rate and the number of bytes (int32 each, little-endian)
and float32 samples; the answer is a JSON object with `text`. So the client has to know the whole
utterance, and sends it when speech has ended.
"""

import base64
import contextlib
import json
import struct
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np

from streamer.models.moonshine.tokenizer import Tokenizer
from streamer.weights.manifest import require
from tools.bench.peers.peer import Connection, Description, Final, Peer
from tools.bench.peers.peer_process import ENVIRONMENTS, installed, running
from tools.bench.peers.websocket_stream import WebSocketStream, open_websocket
from tools.harness.ports import free_port

RATE = 16_000
SERVER = "sherpa-onnx-offline-websocket-server"


class SherpaOffline(Peer):
    """The server with one of Moonshine's published models.

    Args:
        model: A folder of `models/`.
        first_streams: As in `Description`.
    """

    def __init__(self, model: str, first_streams: int) -> None:
        self.description = Description(
            server="sherpa-onnx 2.0.1, offline WebSocket server (C++)",
            model=model,
            told=True,
            interims=False,
            given=(
                "the client knows where speech begins and ends, holds the audio back, and sends "
                "the utterance at once when it is over; no VAD, no silence; a decoding thread for "
                "each core, a batch of one, one thread in each inference"
            ),
            first_streams=first_streams,
        )
        self._model = model

    @contextlib.contextmanager
    def serving(self, cores: int) -> Iterator[tuple[int, int]]:
        """Run it with a decoding thread for each core."""
        program, port = installed("sherpa-onnx", SERVER), free_port()
        folder = require(self._model)
        tokens = ENVIRONMENTS / "sherpa-onnx" / f"{self._model}.tokens.txt"
        write_tokens(folder / "tokenizer.bin", tokens)
        options = {
            "port": port,
            "num-work-threads": cores,
            "num-threads": 1,
            "max-batch-size": 1,
            "moonshine-encoder": folder / "encoder_model.ort",
            "moonshine-merged-decoder": folder / "decoder_model_merged.ort",
            "tokens": tokens,
        }
        with running([program, *(f"--{k}={v}" for k, v in options.items())], port) as served:
            yield served

    async def connect(self, port: int) -> Connection:
        """Open a stream."""
        return _Utterances(await open_websocket(port))


def write_tokens(tokenizer: Path, path: Path) -> None:
    """The tokens of a `tokenizer.bin` as sherpa-onnx reads them: base64 and number, one a line."""
    pieces = Tokenizer.read(tokenizer).pieces
    path.write_text(
        "".join(f"{base64.b64encode(piece).decode()} {i}\n" for i, piece in enumerate(pieces))
    )


class _Utterances(Connection):
    """One socket, on which one utterance follows another."""

    def __init__(self, socket: WebSocketStream) -> None:
        self._socket = socket
        self._held = bytearray()
        self._asked = self._answered = 0
        self._finished = False

    async def begin_utterance(self) -> None:
        self._held.clear()

    async def send(self, pcm: bytes) -> None:
        self._held += pcm

    async def end_utterance(self) -> None:
        samples = (np.frombuffer(bytes(self._held), "<i2") / 32768).astype("<f4").tobytes()
        self._asked += 1
        await self._socket.send_binary(struct.pack("<ii", RATE, len(samples)) + samples)

    async def finish(self) -> None:
        self._finished = True
        if self._answered == self._asked:
            await self._socket.send_text("Done")

    async def finals(self) -> AsyncIterator[Final]:
        async for message in self._socket.texts():
            yield Final(json.loads(message)["text"], self._answered)
            self._answered += 1
            if self._finished and self._answered == self._asked:
                await self._socket.send_text("Done")

    async def close(self) -> None:
        await self._socket.close()
