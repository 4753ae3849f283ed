"""From the configuration to a voice-activity engine."""

from typing import assert_never

from streamer.config.schema import Config
from streamer.observe.monitor import Meter
from streamer.vad.engine import VadEngine
from streamer.weights.manifest import require

SILERO_FOLDER = "silero-vad"
"""Name of the folder with Silero's ONNX file, as `streamer models list` shows it."""


def open_vad(config: Config, meter: Meter) -> VadEngine:
    """The configured voice-activity engine.

    Args:
        config: All settings.
        meter: Adds up the processing time of the engine.

    Raises:
        MissingModel: Silero's weights are not on this machine; the message says what to do.
    """
    match config.vad.engine:
        case "silero":
            from streamer.vad.silero import SileroVad

            (weights,) = require(SILERO_FOLDER).glob("*.onnx")
            return SileroVad(weights, config.vad.gather_ms / 1000, meter)
        case "webrtc":
            from streamer.vad.webrtc import WebRtcVad

            return WebRtcVad(config.vad.webrtc_mode, meter)
        case _:
            assert_never(config.vad.engine)
