"""What clients of vosk-server do: send a piece of audio, wait for the reply, send the next.

vosk_file.py http://127.0.0.1:8080 KEY recording.wav [path=/vosk] [setting=JSON ...]

Prints each reply as a line of JSON.
"""

import json
import sys
import wave

from websockets.sync.client import connect


def main(base: str, key: str, recording: str, *given: str) -> None:
    settings = dict(option.split("=", 1) for option in given)
    path = settings.pop("path", "/vosk")
    config = {name: json.loads(value) for name, value in settings.items()}
    address = f"{base.replace('http', 'ws', 1)}{path}?token={key}"
    with wave.open(recording) as wav, connect(address, proxy=None) as socket:
        rate = wav.getframerate()
        socket.send(json.dumps({"config": {"sample_rate": float(rate), **config}}))
        while piece := wav.readframes(rate // 5):
            socket.send(piece)
            reply(socket.recv(timeout=60))
        socket.send('{"eof" : 1}')
        reply(socket.recv(timeout=60))


def reply(text: str | bytes) -> None:
    print(json.dumps(json.loads(text)))


main(*sys.argv[1:])
