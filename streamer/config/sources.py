"""Where settings come from: file, then environment, then command line; the last one wins.

Every error is one line that names the key, the value and what is allowed.
"""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn

import msgspec

from streamer.config.explain import explain, fields_of, show
from streamer.config.numbers import with_whole_numbers
from streamer.config.schema import Config

ENVIRONMENT_PREFIX = "STREAMER_"
TOKENS_VARIABLE = "STREAMER_TOKENS"
SECRET = {
    "access": "allowed: an object with tokens, tokens_file, origins",
    "access.tokens": 'allowed: a list of text, ["…", "…"]',
}
"""Settings whose values never appear in messages; and what is allowed for each."""
Tree = dict[str, object]


class SettingsError(ValueError):
    """A setting that cannot be used; the message is one line for the person who set it."""


def load_config(
    path: Path | None,
    environment: Mapping[str, str],
    overrides: Mapping[tuple[str, str], object],
) -> Config:
    """Merge the configuration file, `STREAMER_SECTION__KEY` variables and command-line flags.

    Raises:
        SettingsError: A setting is unknown, of the wrong type, or out of range.
    """
    tree = _read(path) if path else {}
    origin = {"": str(path or "defaults")}
    for (section, key), (value, name) in _from_environment(environment).items():
        if section == "models":
            raise SettingsError(f"{name}: 'models' is a list, which only a file can hold")
        if section not in tree:
            origin[section] = name
        _put(tree, section, key, value)
        origin[f"{section}.{key}"] = name
    for (section, key), value in overrides.items():
        _put(tree, section, key, value)
        origin[f"{section}.{key}"] = f"--{key.replace('_', '-')}"
    if "models" in tree and "model" in tree:
        where = ", ".join(name for key, name in origin.items() if key.startswith("model."))
        message = "'model' is given, and 'models'; allowed: one of the two"
        raise SettingsError(f"{where or origin['']}: {message}")
    try:
        config = msgspec.convert(with_whole_numbers(tree, Config), Config)
    except msgspec.ValidationError as error:
        problem = explain(error, tree, Config)
        field = problem.field.partition("[")[0]
        where = origin.get(field, origin[""])
        secret = field in SECRET
        message = (
            f"'{field}' is not as it should be; {SECRET[field]}" if secret else problem.message
        )
        raise SettingsError(f"{where}: {message}") from None
    if conflict := config.vad.problem():
        where = ", ".join(name for key, name in origin.items() if key.startswith("vad."))
        raise SettingsError(f"{where or origin['']}: 'vad': {conflict}")
    config = _with_tokens(config, environment, path.parent if path else Path())
    if conflict := config.server.problem() or config.access.problem():
        raise SettingsError(f"{origin['']}: {conflict}")
    return config


def misnamed(environment: Mapping[str, str]) -> Iterator[str]:
    """A line for each variable that names a setting as it would be named with two underscores.

    For a service that is called `streamer-server`, Kubernetes sets some of these names to its
    addresses; those are meant for others.
    """
    for section in fields_of("", Config):
        for key in fields_of(section, Config):
            name = f"{ENVIRONMENT_PREFIX}{section}_{key}".upper()
            if name in environment and "://" not in environment[name]:
                right = f"{ENVIRONMENT_PREFIX}{section}__{key}".upper()
                yield f"{name} is not a setting and has no effect; did you mean {right}?"


def _with_tokens(config: Config, environment: Mapping[str, str], folder: Path) -> Config:
    """Add the tokens of `access.tokens_file` and of the environment."""
    access = config.access
    tokens = [*access.tokens, *environment.get(TOKENS_VARIABLE, "").replace(",", " ").split()]
    if access.tokens_file:
        try:
            lines = (folder / access.tokens_file).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise SettingsError(
                f"'access.tokens_file': cannot read {access.tokens_file}: {reason}"
            ) from None
        found = [line.strip() for line in lines if line.strip() and line.lstrip()[0] != "#"]
        if not found:
            # A person who configures a file of tokens does not mean to admit every client.
            raise SettingsError(f"'access.tokens_file': there is no token in {access.tokens_file}")
        tokens += found
    access = msgspec.structs.replace(access, tokens=tuple(tokens))
    return msgspec.structs.replace(config, access=access)


def _read(path: Path) -> Tree:
    try:
        tree = _decode(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise SettingsError(f"{path} is not JSON: {error}") from None
    if not isinstance(tree, dict):
        raise SettingsError(f"{path}: expected an object of sections, got {show(tree)}")
    return tree


def _from_environment(environment: Mapping[str, str]) -> dict[tuple[str, str], tuple[object, str]]:
    found: dict[tuple[str, str], tuple[object, str]] = {}
    for name, text in environment.items():
        section, separator, key = name.removeprefix(ENVIRONMENT_PREFIX).partition("__")
        if name.startswith(ENVIRONMENT_PREFIX) and separator:
            found[section.lower(), key.lower()] = (parse(text), name)
    return found


def parse(text: str) -> object:
    """`8080`, `true` and `{"delay": 1}` are JSON; anything else is a plain string."""
    try:
        return _decode(text)
    except ValueError:
        return text


def _decode(text: str) -> object:
    """Strict JSON: Python's parser also accepts `NaN`, `Infinity` and `1e999`."""
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _finite(number: str) -> float:
    value = float(number)
    return value if math.isfinite(value) else _refuse(number)


def _refuse(number: str) -> NoReturn:
    raise ValueError(f"{number} is not a number that a setting can have")


def _put(tree: Tree, section: str, key: str, value: object) -> None:
    values = tree.setdefault(section, {})
    if isinstance(values, dict):
        values[key] = value
