"""What `streamer models check` makes of a file that is no configuration and no `model.json`."""

import json
import re
from pathlib import Path
from shlex import quote

from streamer.config.guide import page
from streamer.models.classifier.network import DeclaredTensor, declared_tensors, problems
from streamer.models.classifier.windows import WindowCutter
from streamer.models.own_class import first_model_class, has_class
from streamer.weights.manifest import MANIFEST, ModelError, manifest_of
from streamer.weights.manifest_schema import ClassifierSettings

CONFIG = "config.json"
GUIDE = "your-own-model.md"
ONNX = ".onnx"
RATE = 16_000
"""Hz. Proposed as the sample rate, which an ONNX file does not state."""

WEIGHTS = frozenset({".pt", ".pth", ".safetensors", ".h5", ".keras", ".tflite", ".pkl", ".joblib"})
"""Suffixes of weights in other forms than ONNX."""

SOUNDS = frozenset({".wav", ".mp3", ".m4a", ".flac", ".ogg", ".opus", ".webm", ".mp4", ".aac"})
"""Suffixes of recordings."""


def advice(path: Path, class_name: str = "") -> str:
    """What to give instead of a file that cannot be checked; one line.

    Args:
        path: Of the file.
        class_name: The class in it, if it is Python and one was named.
    """
    if path.suffix == ".py" and class_name:
        return f"a class in {path} is named so: {class_command(path, class_name)}"
    if path.suffix == ".py":
        return f"{path} is Python: name a class in it: {class_command(path)}"
    if path.suffix in WEIGHTS:
        return (
            f"{path} holds weights that only its own program can read: export it to ONNX, or write "
            f"a class that loads it; see {page(GUIDE)}"
        )
    if path.suffix.lower() in SOUNDS:
        audio = quote(str(path))
        return f"{path} is a recording; to run it: streamer models check MODEL --audio {audio}"
    if path.suffix in (".yaml", ".yml", ".toml"):
        return f"{path} is no configuration: write one in JSON, {CONFIG}; see {page(GUIDE)}"
    return f"{path} is no configuration, no {MANIFEST} and no ONNX file; see {page(GUIDE)}"


def class_command(path: Path, class_name: str = "") -> str:
    """The command that checks a class in a Python file.

    Args:
        path: Of the file.
        class_name: The class; if it is not there, the first one that is a model.
    """
    place = "" if path.parent == Path() else f"cd {quote(str(path.parent))} && "
    known = class_name if class_name and has_class(path, class_name) else first_model_class(path)
    return f"{place}streamer models check {path.stem}:{known or class_name or 'Class'}"


def class_of(named: str, folder: Path) -> str | None:
    """The `module:Class` that `Beep`, `beep Beep` or `beep::Beep` means. None = there is none."""
    words = re.findall(r"\w+", named)
    if not words:
        return None
    for source in sorted(folder.glob("*.py")):
        if words in ([source.stem], [source.stem, words[-1]], words[-1:]) and has_class(
            source, words[-1]
        ):
            return f"{source.stem}:{words[-1]}"
    return None


def folder_advice(folder: Path) -> str:
    """What to do with a folder that has neither description, to follow a message."""
    if files := sorted(folder.glob(f"*{ONNX}")):
        return f"; `streamer models check {quote(str(files[0]))}` shows what to write"
    if (source := class_file_in(folder)) is not None:
        return f"; to check the class in {source}: {class_command(source)}"
    if deeper := sorted(folder.glob(f"*/{MANIFEST}")):
        return f"; did you mean {deeper[0].parent}?"
    if other := sorted(path for path in folder.glob("*") if path.suffix.lower() == ".json"):
        return f"; if {other[0]} describes the model, call it {MANIFEST}; a configuration: {CONFIG}"
    if weights := sorted(path for path in folder.glob("*") if path.suffix in WEIGHTS):
        return f"; {advice(weights[0])}"
    return f"; an ONNX file needs a {MANIFEST}, a class a {CONFIG}: see {page(GUIDE)}"


def class_file_in(folder: Path) -> Path | None:
    """The first Python file in a folder that has a model class. None = there is none."""
    return next((file for file in sorted(folder.glob("*.py")) if first_model_class(file)), None)


def folder_of(path: Path) -> Path | None:
    """The folder whose `model.json` is about this ONNX file. None = there is none.

    Raises:
        ModelError: The `model.json` is not valid, or about another file.
    """
    folder = path.parent
    if not (folder / MANIFEST).is_file():
        return None
    settings = manifest_of(folder).classifier
    if settings is not None and settings.file != path.name:
        raise ModelError(
            f"{path} is not the file of the {MANIFEST} beside it, which names {settings.file!r}: "
            f"set 'classifier.file' to {path.name!r}, or move it into a folder of its own"
        )
    return folder


def onnx_advice(path: Path) -> str:
    """What an ONNX file without a `model.json` has, and the `model.json` to put beside it."""
    try:
        inputs, outputs = declared_tensors(path)
    except Exception as error:  # ONNX Runtime has a class for each reason, with no base
        return f"{path} cannot be read as ONNX: {' '.join(str(error).split())}"
    found = (
        f"{path} has the input{_listed(inputs)} and the output{_listed(outputs)}, and no "
        f"{MANIFEST} beside it"
    )
    settings = _proposed(inputs, outputs)
    if unfit := list(problems(inputs, outputs, settings, WindowCutter.of(settings, RATE))):
        return f"{found}. It is no classifier of waveforms ({'; '.join(unfit)}): write a class " + (
            f"that runs it; see {page(GUIDE)}"
        )
    classifier: dict[str, object] = {"scores": list(settings.scores)}
    if path.name != ClassifierSettings(scores=("a",)).file:
        classifier["file"] = path.name
    if settings.max_seconds:
        classifier |= {"min_seconds": settings.min_seconds, "max_seconds": settings.max_seconds}
    if len(outputs) > 1:
        classifier["output"] = settings.output
    manifest = {
        "name": path.stem,
        "kind": "classifier",
        "sample_rate": RATE,
        "classifier": classifier,
    }
    return f"{found}. Put there, with your own names and sample rate: {json.dumps(manifest)}"


def _proposed(inputs: list[DeclaredTensor], outputs: list[DeclaredTensor]) -> ClassifierSettings:
    """Settings that fit the first input and output, so far as any can."""
    length = inputs[0].shape[-1] if inputs and inputs[0].shape else None
    seconds = length / RATE if isinstance(length, int) else None
    count = outputs[0].shape[-1] if outputs and outputs[0].shape else None
    names = [f"score {number}" for number in range(1, 1 + (count if isinstance(count, int) else 1))]
    return ClassifierSettings(
        scores=tuple(names) or ("score 1",),
        output=outputs[0].name if outputs else None,
        min_seconds=seconds or 0.0,
        max_seconds=seconds,
    )


def _listed(tensors: list[DeclaredTensor]) -> str:
    return f"{'s' if len(tensors) > 1 else ''} {' and '.join(map(str, tensors)) or 'none'}"
