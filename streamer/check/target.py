"""From what the user names to what a worker is to load."""

import os
from pathlib import Path

import msgspec

from streamer.config import Config, ModelConfig
from streamer.inference.model import ModelSpec
from streamer.server import KINDS, model_spec
from streamer.settings import load
from streamer.weights.manifest import MANIFEST, ModelError, known_models, manifest_of

CONFIG = "config.json"


class CannotCheck(ModelError):
    """There is no model where the user points to; the message is one line."""


class Target(msgspec.Struct, frozen=True):
    """The model, and the settings under which it would serve."""

    spec: ModelSpec
    config: Config


def find_target(named: str) -> Target:
    """What `named` leads to.

    Args:
        named: A folder with a `model.json` or a `config.json`, one of these files, the name of a
            model that `streamer models list` shows, or `module:Class`.

    Raises:
        CannotCheck: It leads to nothing.
        ModelError: The model's files are not there, or its `model.json` is not right.
        SettingsError: The configuration file has a setting that cannot be used.
    """
    path = Path(named)
    if path.name == MANIFEST and path.is_file():
        return _of_folder(path.parent)
    if path.is_file():
        return _of_config(path)
    if path.is_dir() and (path / MANIFEST).is_file():
        return _of_folder(path)
    if path.is_dir() and (path / CONFIG).is_file():
        return _of_config(path / CONFIG)
    if path.is_dir():
        raise CannotCheck(f"{path} has no {MANIFEST} and no {CONFIG}")
    if ":" in named:
        return _of_model(ModelConfig(type=named), Path())
    if named in known_models():
        return _of_folder(Path(named))
    raise CannotCheck(
        f"{named!r} is no folder, no configuration file and no module:Class; known models are "
        + ", ".join(known_models())
    )


def _of_config(path: Path) -> Target:
    config = load(path, os.environ, {})
    return Target(model_spec(config, path.parent.absolute()), config)


def _of_folder(folder: Path) -> Target:
    """A model's own folder; its manifest says which class is for it."""
    kind = manifest_of(folder).kind
    types = {kind: type_ for type_, kind in KINDS.items()}
    if kind not in types:
        raise CannotCheck(
            f"{folder / MANIFEST}: 'kind' is {kind!r}; allowed: one of {', '.join(types)}, or "
            f"give a {CONFIG} that names the class"
        )
    return _of_model(ModelConfig(type=types[kind], path=str(folder)), Path())


def _of_model(model: ModelConfig, folder: Path) -> Target:
    config = Config(model=model)
    return Target(model_spec(config, folder.absolute()), config)
