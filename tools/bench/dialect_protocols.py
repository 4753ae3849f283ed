"""How `make bench-dialects` speaks each protocol."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from streamer.dialects.wyoming.codec import encode_event
from tools.bench.live import RATE

MIN_SILENCE_MS = 550

OWN, OWN_FINALS = "own", "own, without interims"


class Protocol(NamedTuple):
    """How a protocol is spoken.

    Attributes:
        path: Of the socket, with its query.
        begin: The first message; None = there is none.
        end: The last one.
        frame: Makes a message of audio.
        beside: The protocol that it is compared with.
        rate: Hertz of the audio.
        closes: Whether the server closes the connection behind the last message.
    """

    path: str
    begin: str | bytes | None
    end: str | bytes
    frame: Callable[[bytes], bytes | str] = bytes
    beside: str = OWN
    rate: int = RATE
    closes: bool = True


def own(*, words: bool = False, interims: bool = True) -> Protocol:
    """Our own protocol."""
    start = {
        "request": "start",
        "format": {"sample_rate": RATE},
        "interim_results": interims,
        "words": words,
        "vad": {"min_silence_ms": MIN_SILENCE_MS},
    }
    stop = {"request": "stop", "disconnect": True}
    return Protocol("/api/v1/segmented", json.dumps(start), json.dumps(stop))


def deepgram() -> Protocol:
    """Deepgram's, as voice agents ask for it."""
    query = {
        "model": "nova-3",
        "encoding": "linear16",
        "sample_rate": str(RATE),
        "interim_results": "true",
        "vad_events": "true",
        "punctuate": "true",
        "endpointing": str(MIN_SILENCE_MS),
        "utterance_end_ms": "1000",
    }
    return Protocol(f"/v1/listen?{urlencode(query)}", None, json.dumps({"type": "CloseStream"}))


def realtime() -> Protocol:
    """OpenAI's live transcription, with the audio that its packages send: base64 of 24 kHz."""
    rate = 24_000
    detection = {"type": "server_vad", "silence_duration_ms": MIN_SILENCE_MS}
    audio = {"format": {"type": "audio/pcm", "rate": rate}, "turn_detection": detection}
    session = {"type": "transcription", "audio": {"input": audio}}
    return Protocol(
        "/v1/realtime?intent=transcription",
        json.dumps({"type": "session.update", "session": session}),
        json.dumps({"type": "input_audio_buffer.commit"}),
        lambda pcm: json.dumps(
            {"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm).decode()}
        ),
        rate=rate,
        closes=False,
    )


def wyoming() -> Protocol:
    """Home Assistant's, which has no interims."""
    audio = {"rate": RATE, "width": 2, "channels": 1}
    return Protocol(
        WYOMING,
        encode_event("audio-start", audio),
        encode_event("audio-stop"),
        lambda pcm: encode_event("audio-chunk", {**audio, "timestamp": None}, pcm),
        OWN_FINALS,
    )


def assemblyai() -> Protocol:
    """AssemblyAI's."""
    query = {"sample_rate": str(RATE), "min_turn_silence": str(MIN_SILENCE_MS)}
    return Protocol(f"/v3/ws?{urlencode(query)}", None, json.dumps({"type": "Terminate"}))


def vosk() -> Protocol:
    """That of vosk-server, as Jigasi speaks it: without waiting for the replies."""
    config = {"config": {"sample_rate": float(RATE)}}
    return Protocol("/vosk", json.dumps(config), '{"eof" : 1}')


WYOMING = "wyoming"
"""In the place of the path, for a connection without a WebSocket."""

PROTOCOLS: Mapping[str, Protocol] = {
    OWN: own(),
    OWN_FINALS: own(interims=False),
    "own, with words": own(words=True),
    "deepgram": deepgram(),
    "openai realtime": realtime(),
    "assemblyai": assemblyai(),
    "vosk": vosk(),
    "wyoming": wyoming(),
}
