"""From the argument of `streamer models check` to the models to load."""

import os
from pathlib import Path

import msgspec

from streamer.check.files import ONNX, advice, folder_of, onnx_advice
from streamer.config.schema import Config, ModelConfig
from streamer.config.sources import load_config
from streamer.models import registry
from streamer.models.registry import ModelSpec
from streamer.models.resolve import model_specs
from streamer.weights.manifest import (
    MANIFEST,
    ModelError,
    find_model,
    known_models,
    manifest_of,
)
from streamer.weights.manifest_schema import Manifest

CONFIG = "config.json"


class CannotCheck(ModelError):
    """The argument leads to no model; the message is one line."""


class Target(msgspec.Struct, frozen=True):
    """The model, and the settings under which it would serve."""

    spec: ModelSpec
    config: Config


def find_targets(named: str) -> list[Target]:
    """The model that `named` means, or all models of a configuration.

    Args:
        named: A folder with a `model.json` or a `config.json`, one of these files, an ONNX file
            with a `model.json` beside it, the name of a model that `streamer models list` shows,
            or `module:Class`.

    Raises:
        CannotCheck: It leads to no model.
        ModelError: The model's files are missing, or its `model.json` is not valid.
        SettingsError: The configuration file has a setting that cannot be used.
    """
    path = Path(named)
    if path.name == MANIFEST and path.is_file():
        return _of_folder(path.parent)
    if path.suffix == ONNX and path.is_file():
        if (folder := folder_of(path)) is None:
            raise CannotCheck(onnx_advice(path))
        return _of_folder(folder)
    if path.is_file() and path.suffix != ".json":
        raise CannotCheck(advice(path))
    if path.is_file():
        return _of_config(path)
    if path.is_dir() and (path / MANIFEST).is_file():
        return _of_folder(path)
    if path.is_dir() and (path / CONFIG).is_file():
        return _of_config(path / CONFIG)
    if path.is_dir():
        files = sorted(path.glob(f"*{ONNX}"))
        hint = f"; `streamer models check {files[0]}` shows what to write" if files else ""
        raise CannotCheck(f"{path} has no {MANIFEST} and no {CONFIG}{hint}")
    if ":" in named:
        return _of(Config(model=ModelConfig(type=named)), Path())
    if named in known_models():
        return _of_manifest(find_model(named).manifest, named)
    if path.suffix or path.parent != Path():
        raise CannotCheck(f"{path} does not exist")
    if path.with_suffix(".py").is_file():
        raise CannotCheck(advice(path.with_suffix(".py")))
    raise CannotCheck(
        f"{named!r} is no folder, no configuration file and no module:Class; known models are "
        + ", ".join(known_models())
    )


def _of_config(path: Path) -> list[Target]:
    return _of(load_config(path, os.environ, {}), path.parent)


def _of_folder(folder: Path) -> list[Target]:
    return _of_manifest(manifest_of(folder), str(folder))


def _of_manifest(manifest: Manifest, path: str) -> list[Target]:
    """The manifest's `kind` decides which built-in model runs it."""
    built_in = registry.built_in_for_kind(manifest.kind)
    if built_in is None:
        kinds = ", ".join(registry.manifest_kinds())
        raise CannotCheck(
            f"{path}/{MANIFEST}: 'kind' is {manifest.kind!r}; allowed: one of {kinds},"
            f" or give a {CONFIG} that names the class"
        )
    return _of(Config(model=ModelConfig(type=built_in.type, path=path)), Path())


def _of(config: Config, folder: Path) -> list[Target]:
    return [Target(spec, config) for spec in model_specs(config, folder.absolute())]
