"""From the argument of `streamer models check` to the models to load."""

import logging
import os
import re
from pathlib import Path

import msgspec

from streamer.check.files import (
    ONNX,
    advice,
    class_of,
    folder_advice,
    folder_of,
    onnx_advice,
)
from streamer.config.file_problems import missing_file, near_file
from streamer.config.models import ModelConfig
from streamer.config.paths import is_dir, is_file
from streamer.config.schema import Config
from streamer.config.sources import SettingsError, load_config, with_source
from streamer.models import registry
from streamer.models.registry import ModelSpec
from streamer.models.resolve import is_no_type, meant_type, model_specs
from streamer.weights.manifest import (
    MANIFEST,
    ModelError,
    find_model,
    known_models,
    manifest_of,
    near_model,
)
from streamer.weights.manifest_schema import Manifest

_log = logging.getLogger(__name__)

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
    if not named.strip():
        raise CannotCheck("PATH is empty; give a folder, a file or a module:Class")
    path = Path(named)
    if path.name == MANIFEST and is_file(path):
        return _of_folder(path.parent)
    if path.suffix == ONNX and is_file(path):
        if (folder := folder_of(path)) is None:
            raise CannotCheck(onnx_advice(path))
        return _of_folder(folder)
    if is_file(path) and path.suffix != ".json":
        raise CannotCheck(advice(path))
    if is_file(path):
        return _of_config(path)
    if is_dir(path) and is_file(path / MANIFEST):
        return _of_config_beside(path) or _of_folder(path)
    if is_dir(path) and is_file(path / CONFIG):
        return _of_config(path / CONFIG)
    if is_dir(path):
        raise CannotCheck(f"{path} has no {MANIFEST} and no {CONFIG}{folder_advice(path)}")
    if "://" in named:
        raise CannotCheck(f"{named} is an address; download the file, and give its path")
    if is_no_type(named) and (source := _source(named)) is not None:
        raise CannotCheck(advice(source, named.partition(":")[2]))
    if re.fullmatch(r"[^:\s]*:[^:\s]*", named):
        return _of(Config(model=ModelConfig(type=named)), Path())
    if named in known_models():
        return _of_manifest(find_model(named).manifest, named)
    if meant := class_of(named, Path()):
        raise CannotCheck(f"there is no {named!r}; did you mean streamer models check {meant}?")
    if meant := meant_type(named, Path()):
        raise CannotCheck(f"{named} does not exist; did you mean streamer models check {meant}?")
    if near := near_model(named):
        raise CannotCheck(f"there is no model {named!r}; did you mean {near}?")
    if path.suffix or path.parent != Path() or near_file(path) is not None:
        raise CannotCheck(missing_file(path))
    raise CannotCheck(
        f"{named!r} is not a folder, a configuration file or a module:Class; the known models are "
        + ", ".join(known_models())
    )


def _source(named: str) -> Path | None:
    """The Python file that `beep`, `folder/beep:Beep` or `beep.py:Beep` means. None = none."""
    module = named.partition(":")[0].removesuffix(".py")
    source = Path(f"{module}.py")
    return source if module and is_file(source) else None


def _of_config(path: Path) -> list[Target]:
    config = load_config(path, os.environ, {}, _log.warning)
    try:
        return _of(config, path.parent)
    except SettingsError as error:
        raise with_source(error, path, os.environ) from None


def _of_config_beside(folder: Path) -> list[Target]:
    """The model of a folder as the configuration in it serves it; nothing if it serves others."""
    if not (folder / CONFIG).is_file():
        return []
    targets = _of_config(folder / CONFIG)
    return [t for t in targets if t.spec.folder and Path(t.spec.folder).samefile(folder)]


def _of_folder(folder: Path) -> list[Target]:
    return _of_manifest(manifest_of(folder), str(folder))


def _of_manifest(manifest: Manifest, path: str) -> list[Target]:
    """The manifest's `kind` decides which built-in model runs it."""
    built_in = registry.built_in_for_kind(manifest.kind)
    if built_in is None:
        kinds = registry.manifest_kinds()
        near = registry.near_built_in(manifest.kind)
        hint = f"; did you mean {near}?" if near in kinds else ""
        raise CannotCheck(
            f"{path}/{MANIFEST}: 'kind' is {manifest.kind!r}; allowed: one of {', '.join(kinds)},"
            f" or give a {CONFIG} that names the class{hint}"
        )
    return _of(Config(model=ModelConfig(type=built_in.type, path=path)), Path())


def _of(config: Config, folder: Path) -> list[Target]:
    return [Target(spec, config) for spec in model_specs(config, folder.absolute())]
