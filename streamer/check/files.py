"""What `streamer models check` makes of a file that is no configuration and no `model.json`."""

import json
from pathlib import Path

from streamer.models.classifier.network import DeclaredTensor, declared_tensors, problems
from streamer.models.classifier.windows import WindowCutter
from streamer.models.resolve import first_model_class
from streamer.weights.manifest import MANIFEST, ModelError, manifest_of
from streamer.weights.manifest_schema import ClassifierSettings

GUIDE = "docs/your-own-model.md"
ONNX = ".onnx"
RATE = 16_000
"""Hz. Proposed as the sample rate, which an ONNX file does not state."""

WEIGHTS = frozenset({".pt", ".pth", ".safetensors", ".h5", ".keras", ".tflite", ".pkl", ".joblib"})
"""Suffixes of weights in other forms than ONNX."""


def advice(path: Path) -> str:
    """What to give instead of a file that cannot be checked; one line."""
    if path.suffix == ".py":
        return f"{path} is Python: name a class in it: {_class_command(path)}"
    if path.suffix in WEIGHTS:
        return (
            f"{path} holds weights that only its own program can read: export it to ONNX, or write "
            f"a class that loads it; see {GUIDE}"
        )
    return f"{path} is no configuration, no {MANIFEST} and no ONNX file; see {GUIDE}"


def _class_command(path: Path) -> str:
    """The command that checks the class in a Python file; the first one that is a model, if any."""
    place = "" if path.parent == Path() else f"cd {path.parent} && "
    return f"{place}streamer models check {path.stem}:{first_model_class(path) or 'Class'}"


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
            f"that runs it; see {GUIDE}"
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
