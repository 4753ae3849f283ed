"""Wrong messages on a WebSocket, and messages in a wrong order.

Each script ends in something that makes the server close the socket, so that the answer has an end.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from tools.bench.compare.players import STOP, ScriptMessage

MAX_MESSAGE_BYTES = 262_144
"""The default of `limits.max_message_bytes`."""

TEXT_BYTES = 65_536
"""The default of `limits.max_text_bytes`."""

FORMAT = {"sample_rate": 16_000}
AUDIO = bytes(3_200)
"""100 ms of silence."""

BEGIN = json.dumps({"request": "start", "format": FORMAT})
FLUSH = json.dumps({"request": "flush"})
KEEP_ALIVE = json.dumps({"request": "keep_alive"})
STOP_ONLY = json.dumps({"request": "stop"})


def start(**fields: object) -> str:
    """A `start` with these fields besides, or in the place of `format`."""
    return json.dumps({"request": "start", "format": FORMAT, **fields})


def start_format(**fields: object) -> str:
    """A `start` whose format has these fields."""
    return start(format={**FORMAT, **fields})


BAD_TEXTS = (
    "stop it",
    "",
    '{"request": "stop"',
    "[]",
    "null",
    "7",
    "{}",
    '{"request": "dance"}',
    '{"request": 7}',
    '{"request": null}',
    '{"request": "start"}',
    '{"request": "start", "format": {}}',
    '{"request": "start", "format": {"sample_rate": NaN}}',
    '{"request": "stop", "disconnect": "yes"}',
    '{"request": "flush", "now": true}',
    '{"request": "keep_alive", "a\\r\\nb": 1}',
    "[" * 8_000,
    '{"request": ' * 1_200,
    start(colour="red"),
    start(vad={"treshold": 0.5}),
    start(vad={"threshold": 1.5}),
    start(vad={"threshold": "0.5"}),
    start(vad={"min_silence_ms": 49}),
    start(vad={"min_silence_ms": 10_001}),
    start(vad={"min_speech_ms": "100"}),
    start(vad={"max_segment_ms": 999}),
    start(vad={"max_segment_ms": 1_000, "prefix_padding_ms": 2_000}),
    start(vad=[]),
    start(model="gpt"),
    start(model="x" * 10_000),
    start(model="\r\nforged\x1b[2J"),
    start(model="\ud800"),
    start(interim_results=1),
    start(trace_id=7),
    start(token=7),
    start(format="wav"),
    start(format=None),
    start_format(sample_rate=7_999),
    start_format(sample_rate=192_001),
    start_format(sample_rate=10**30),
    start_format(sample_rate=-1),
    start_format(sample_rate=16_000.5),
    start_format(sample_rate=None),
    start_format(channels=0),
    start_format(channels=9),
    start_format(channels=10**6),
    start_format(bit_depth=12),
    start_format(bit_depth=16, is_float=True),
    start_format(encoding="mp3"),
    start_format(encoding="mulaw"),
    start_format(endian="big"),
)

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@dataclass(frozen=True)
class Script:
    """What a client sends on one socket.

    Attributes:
        messages: In order; the last one makes the server close the socket.
        path: Below `/api/v1/`.
        headers: Of the upgrade request.
        subprotocols: Of the upgrade request.
        given: Ids that the client chooses.
    """

    messages: tuple[ScriptMessage, ...]
    path: str = "segmented"
    headers: Mapping[str, str] = field(default_factory=dict)
    subprotocols: tuple[str, ...] = ()
    given: tuple[str, ...] = ()


def _scripts() -> dict[str, Script]:
    """Without a stream, before a good one, and in the middle of one; with defaults."""
    found = {}
    for index, text in enumerate(BAD_TEXTS):
        name = f"bad text {index}: {text[:40]!r}"
        found[f"{name}, before a stream"] = Script((text, BEGIN, AUDIO, STOP))
        found[f"{name}, in a stream"] = Script((BEGIN, AUDIO, text, AUDIO, STOP))
    orders: dict[str, tuple[ScriptMessage, ...]] = {
        "audio before start": (AUDIO, BEGIN, STOP),
        "audio twice before start": (AUDIO, AUDIO, BEGIN, AUDIO, STOP),
        "flush without a stream": (FLUSH, STOP),
        "stop without a stream": (STOP_ONLY, STOP),
        "stop twice": (BEGIN, AUDIO, STOP_ONLY, STOP_ONLY, STOP),
        "flush after stop": (BEGIN, AUDIO, STOP_ONLY, FLUSH, STOP),
        "keep_alive alone": (KEEP_ALIVE, STOP),
        "start in a stream": (BEGIN, AUDIO, start_format(sample_rate=8_000), AUDIO, STOP),
        "audio after stop": (BEGIN, AUDIO, STOP_ONLY, AUDIO, STOP),
        "audio after a bad format": (start_format(channels=0), AUDIO, BEGIN, STOP),
        "empty audio": (b"", BEGIN, b"", AUDIO, b"", STOP),
        "half a sample": (BEGIN, AUDIO[:-1], STOP),
        "half a frame": (start_format(channels=2), AUDIO[:-2], STOP),
        "no audio": (BEGIN, STOP),
        "flush at the start": (BEGIN, FLUSH, FLUSH, AUDIO, FLUSH, STOP),
        "samples that are not finite": (
            start_format(bit_depth=32, is_float=True),
            b"\x00\x00\xc0\x7f\x00\x00\x80\x7f" * 400,
            STOP,
        ),
        "a text that is too large": (BEGIN, AUDIO, " " * (TEXT_BYTES + 1), AUDIO, STOP),
        "a message that is too large": (BEGIN, AUDIO, bytes(MAX_MESSAGE_BYTES + 1), AUDIO, STOP),
        "too large without a stream": (bytes(MAX_MESSAGE_BYTES + 1), STOP),
        "the largest message": (BEGIN, bytes(MAX_MESSAGE_BYTES), STOP),
        "a bad trace id": (start(trace_id="none"), STOP),
        "messages after the last": (BEGIN, AUDIO, STOP, AUDIO, BEGIN, FLUSH),
    }
    for path in ("segmented", "simple"):
        found |= {f"{name}, {path}": Script(each, path) for name, each in orders.items()}
    found["a trace id"] = Script((start(trace_id=TRACE), STOP), given=(TRACE,))
    found["a traceparent"] = Script((start(trace_id=PARENT), STOP), given=(TRACE,))
    found["a traceparent in the header"] = Script(
        (BEGIN, STOP), headers={"traceparent": PARENT}, given=(TRACE,)
    )
    found["a foreign origin"] = Script((BEGIN, STOP), headers={"Origin": "https://a.example"})
    found["a subprotocol"] = Script((BEGIN, STOP), subprotocols=("streamer.v1",))
    found["an unknown subprotocol"] = Script((BEGIN, STOP), subprotocols=("chat",))
    found["an unknown address"] = Script((BEGIN, STOP), "nowhere")
    return found


SCRIPTS = _scripts()
