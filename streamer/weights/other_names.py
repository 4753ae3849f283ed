"""What was meant by a `model.json` that has another name for a field, or is another file. Pure."""

import re
from collections.abc import Mapping
from types import MappingProxyType

SCORES = "classifier.scores"

OTHER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("labels", "label", "classes", "class_names", "names"), SCORES),
        **dict.fromkeys(("outputs", "categories", "id2label", "tags"), SCORES),
        **dict.fromkeys(("type", "task", "model_type"), "kind"),
        **dict.fromkeys(("rate", "sampling_rate", "sr", "fs", "hertz"), "sample_rate"),
        **dict.fromkeys(("path", "model", "onnx", "weights", "filename"), "classifier.file"),
        **dict.fromkeys(("window_seconds", "length_seconds", "duration"), "classifier.max_seconds"),
        **dict.fromkeys(("stride_seconds", "step_seconds"), "classifier.hop_seconds"),
        "batch_size": "classifier.max_batch_size",
    }
)
"""What other programs call a field, and its path here."""

EXAMPLE = 'such as ["alarm", "other"]'
OF_A_CONFIGURATION = frozenset({"model", "models", "vad", "server", "simple"})
"""Sections of a configuration."""


def with_meaning(message: str, tree: object) -> str:
    """A message about a `model.json`, with what was probably meant.

    Args:
        message: What is wrong.
        tree: The whole, as parsed.
    """
    if not isinstance(tree, dict):
        return message
    if any(isinstance(tree.get(name), dict) for name in OF_A_CONFIGURATION):
        return f"{message}; this is a configuration: call it config.json"
    if message.startswith(f"'{SCORES}' is missing"):
        given = next(filter(_means_scores, [*tree, *_classifier(tree)]), None)
        hint = f", and the field '{given}' is here" if given is not None else ""
        return f"{message}: a name for each score, {EXAMPLE}{hint}"
    unknown = re.match(r"unknown field '(?:\w+\.)?(\w+)'", message)
    if unknown is None:
        return message
    if unknown[1] == "threshold":
        return f"{message}; scores are sent as they are: compare them in your own program"
    if unknown[1] in OTHER_NAMES:
        return f"{message.partition('; did you')[0]}; did you mean '{OTHER_NAMES[unknown[1]]}'?"
    return message


def _means_scores(name: str) -> bool:
    return name == "scores" or OTHER_NAMES.get(name) == SCORES


def _classifier(tree: Mapping[str, object]) -> list[str]:
    section = tree.get("classifier")
    return list(section) if isinstance(section, dict) else []
