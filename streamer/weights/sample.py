"""The recording that comes with the default model, for people who have none at hand."""

from pathlib import Path

from streamer.weights.manifest import MissingModel, require

MODEL, FILE = "moonshine-tiny-en", "two_cities.wav"


def sample_recording() -> Path | None:
    """44 s of speech. None = the weights that it came with are not on this machine."""
    try:
        recording = require(MODEL) / FILE
    except MissingModel:
        return None
    return recording if recording.is_file() else None
