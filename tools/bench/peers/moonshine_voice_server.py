"""Streams of moonshine-voice over plain sockets; runs in its environment, not in ours.

    python moonshine_voice_server.py PORT CORES

A stream is 16-bit samples at 16 kHz until the client shuts down its side. Each completed line is
answered by a JSON object on a line of its own: `text`, `start_s`, `end_s`. There is a transcriber
for each core, each with one thread that does all its work; streams are dealt in turn.
"""

import array
import contextlib
import itertools
import json
import queue
import socket
import sys
import threading

from moonshine_voice import get_model_path
from moonshine_voice.moonshine_api import ModelArch
from moonshine_voice.transcriber import LineCompleted, Transcriber

RATE = 16_000
Work = queue.SimpleQueue[tuple["Stream", list[float] | None]]


class Stream:
    """One client: its socket, and its stream in the transcriber of `work`."""

    def __init__(self, client: socket.socket, transcriber: Transcriber, work: Work) -> None:
        self._client = client
        self._work = work
        self._stream = transcriber.create_stream()
        self._stream.add_listener(self._on_event)
        self._stream.start()

    def receive(self) -> None:
        """Put the client's audio to the work of its transcriber, until there is no more."""
        rest = b""
        with contextlib.suppress(OSError):
            while data := self._client.recv(1 << 16):
                data = rest + data
                whole = len(data) - len(data) % 2
                samples, rest = array.array("h", data[:whole]), data[whole:]
                self._work.put((self, [sample / 32768 for sample in samples]))
        self._work.put((self, None))

    def process(self, samples: list[float] | None) -> None:
        """Transcribe these samples, or end with None."""
        if samples is not None:
            self._stream.add_audio(samples, RATE)
            return
        self._stream.stop()
        self._stream.close()
        self._client.close()

    def _on_event(self, event: object) -> None:
        if isinstance(event, LineCompleted):
            line = event.line
            end_s = line.start_time + line.duration
            answer = {"text": line.text, "start_s": line.start_time, "end_s": end_s}
            with contextlib.suppress(OSError):
                self._client.sendall(json.dumps(answer).encode() + b"\n")


def run(work: Work) -> None:
    """Do what is put there, in its order."""
    while True:
        stream, samples = work.get()
        stream.process(samples)


def main() -> None:
    """Listen."""
    port, cores = map(int, sys.argv[1:])
    path = str(get_model_path("tiny-en"))
    transcribers = [Transcriber(path, ModelArch.TINY) for _ in range(cores)]
    works: list[Work] = [queue.SimpleQueue() for _ in transcribers]
    for work in works:
        threading.Thread(target=run, args=(work,), daemon=True).start()
    with socket.create_server(("127.0.0.1", port), backlog=512) as listening:
        for transcriber, work in itertools.cycle(zip(transcribers, works, strict=True)):
            client, _ = listening.accept()
            stream = Stream(client, transcriber, work)
            threading.Thread(target=stream.receive, daemon=True).start()


if __name__ == "__main__":
    main()
