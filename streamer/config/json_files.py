"""Files in JSON that people write: settings, and the descriptions of models."""

import json
import math
import re
from pathlib import Path
from typing import NoReturn

from streamer.config.file_problems import file_problem

_NOT_JSON = (
    (r"\A\s*\Z", "an empty file is not JSON, {} is"),
    (r"\A\s*[\"\w]", "the whole is an object, from { to }"),
    (r"(^|[\s,{}\[\]])(//|#|/\*)", "JSON has no comments"),
    (r",\s*[}\]]", "JSON has no comma before a closing bracket"),
    (r"(?:[\"\d\]}]|true|false|null)[ \t]*\n\s*\"", "JSON has a comma between two fields"),
    (r"[{\[,:]\s*'", "JSON has double quotes only"),
    (r"[{\[,:]\s*[“”„«]", "JSON has straight quotes only"),
    (r":\s*(True|False|None)\b", "JSON has true, false and null"),
)
"""What people write who are used to other formats, as a regular expression, and what to say."""


class BadFile(ValueError):
    """A file cannot be read, or is not JSON; the message is one line that names it."""


class _Twice(ValueError):
    """A field is given twice."""


def read_json(path: Path) -> object:
    """Read a file.

    Raises:
        BadFile: It cannot be read, is not strict JSON, or has an object with a field twice.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors write a mark at its beginning
    except (OSError, UnicodeError) as error:
        raise BadFile(file_problem(path, error)) from None
    try:
        return decode_json(text)
    except _Twice as error:
        raise BadFile(f"{path}: {error}") from None
    except ValueError as error:
        raise BadFile(f"{path} is not JSON: {error}{_remedy(path, text)}") from None


def decode_json(text: str) -> object:
    """Parse strict JSON: Python's parser also accepts `NaN`, `Infinity`, `1e999` and a field twice.

    Raises:
        ValueError: It is none.
    """
    try:
        return json.loads(
            text, parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_object
        )
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _object(fields: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in fields:
        if name in found:
            shown = json.dumps(name[:60])[1:-1]
            raise _Twice(f"the field '{shown}' is there twice; only one of them would count")
        found[name] = value
    return found


def _finite(number: str) -> float:
    value = float(number)
    return value if math.isfinite(value) else _refuse(number)


def _refuse(number: str) -> NoReturn:
    raise ValueError(f"{number} is not a number that a setting can have")


def _remedy(path: Path, text: str) -> str:
    if path.suffix == ".py":
        return (
            "; a configuration is a file such as config.json, and names a model's class: "
            '{"model": {"type": "module:Class"}}'
        )
    if path.suffix in (".yaml", ".yml", ".toml", ".ini"):
        return "; a configuration is a file in JSON, such as config.json"
    found = (says for what, says in _NOT_JSON if re.search(what, text, re.MULTILINE))
    return "".join(f"; {says}" for says in found)
