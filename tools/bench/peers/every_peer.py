"""What is compared, in the order of the table."""

from collections.abc import Mapping, Sequence

from tools.bench.peers.moonshine_voice import MoonshineVoice
from tools.bench.peers.peer import Description, Peer
from tools.bench.peers.sherpa_offline import SherpaOffline
from tools.bench.peers.this_server import ThisServer
from tools.bench.peers.whisper_live import WhisperLive
from tools.bench.peers.wyoming_whisper import WyomingWhisper

FINDS = "its defaults; it finds the ends of speech, the client sends all silence"


def _this(name: str, *, told: bool = False, interims: bool = False, first: int) -> ThisServer:
    given = "its defaults; the client knows where speech begins and ends, and flushes; no silence"
    description = Description("streamer", name, told, interims, given if told else FINDS, first)
    models: Mapping[str, Mapping[str, object]] = {
        "moonshine-tiny-en": {"path": "moonshine-tiny-en"},
        "moonshine-base-en, interims by tiny": {
            "path": "moonshine-base-en",
            "interim_model": "moonshine-tiny-en",
        },
    }
    return ThisServer(description, models[name])


PEERS: Mapping[str, Peer] = {
    "streamer": _this("moonshine-tiny-en", first=64),
    "streamer-told": _this("moonshine-tiny-en", told=True, first=64),
    "streamer-interims": _this("moonshine-tiny-en", interims=True, first=32),
    "streamer-base": _this("moonshine-base-en, interims by tiny", interims=True, first=32),
    "sherpa-onnx": SherpaOffline("moonshine-tiny-en", first_streams=16),
    "moonshine-voice": MoonshineVoice(),
    "wyoming": WyomingWhisper(),
    "whisper-live": WhisperLive(),
}
"""By the names of `make bench-peers ONLY=`."""

NEVER: Sequence[Mapping[str, str]] = (
    {
        "server": "sherpa-onnx 2.0.1, online WebSocket server",
        "reason": "its streaming models are in no package, only on hubs",
    },
)
"""Servers that cannot be measured from packages alone."""
