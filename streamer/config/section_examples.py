"""An example of a section that was given as the value of one of its keys. Pure."""

import re
from collections.abc import Mapping

from streamer.config.explain import show
from streamer.config.models import ModelConfig

_MEANT: Mapping[str, Mapping[type, str]] = {
    "server": {str: "host", int: "port"},
    "model": {str: "path"},
    "models": {str: "path"},
    "vad": {str: "engine", float: "threshold"},
    "simple": {int: "chunk_seconds", float: "chunk_seconds"},
    "interim": {int: "interval_ms"},
    "inference": {int: "workers"},
    "telemetry": {str: "log_format"},
}
"""By section: the key that is meant by a value of a type in the place of the section. `access` has
none, because an example shows the value."""


def section_example(field: str, tree: Mapping[str, object]) -> str:
    """What to write instead of a section that is no object, to follow a message; "" = not known.

    Args:
        field: The dotted path of what was refused.
        tree: The whole configuration, as parsed.
    """
    section = field.partition("[")[0]
    value = tree.get(section)
    one_of = re.fullmatch(r"models\[(\d+)\]", field)
    if one_of and isinstance(value, list):
        section, value = "model", value[int(one_of[1])]
    elif field != section:
        return ""
    if section == "vad" and value in (False, None):
        return "; without voice detection, clients connect to /api/v1/simple"
    key = _MEANT.get(section, {}).get(type(value))
    if section in ("model", "models") and isinstance(value, str) and _is_type(value):
        key = "type"
    if key is None:
        return ""
    example = show({key: value})
    return f", such as {f'[{example}]' if section == 'models' else example}"


def mistaken_for(field: str, message: str, tree: Mapping[str, object]) -> str:
    """What was meant by an unknown field of a model, or of a file that is no configuration.

    Args:
        field: The dotted path of what was refused.
        message: Why.
        tree: The whole configuration, as parsed.

    Returns:
        What follows the message; "" = not known.
    """
    if not message.startswith("unknown field"):
        return ""
    if "classifier" in tree or {"kind", "name"} <= tree.keys():
        return "; this describes a model: call it model.json, and name its folder in a config.json"
    section, _, key = field.rpartition(".")
    if not re.fullmatch(r"model|models\[\d+\]", section):
        return ""
    if key in ("class", "module", "import", "kind"):
        return f"; did you mean '{section}.type'?"
    if "did you mean" in message and "'workers'" not in message:
        return ""
    return f"; arguments of a class of your own are in '{section}.options'"


def _is_type(model: str) -> bool:
    """Whether a text that stands for a model is a type, not a folder."""
    return ":" in model or model == ModelConfig().type
