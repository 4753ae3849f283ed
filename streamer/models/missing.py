"""Which weights a configuration needs that are not on this machine, and can be fetched."""

import os
from collections.abc import Iterator
from pathlib import Path

from streamer.config.paths import is_dir
from streamer.config.schema import Config
from streamer.models import registry
from streamer.vad.factory import SILERO_FOLDER
from streamer.weights.manifest import FileState, ModelFolder, check_files, find_model, known_models
from streamer.weights.manifest_schema import WheelSource


def missing_models(config: Config, config_folder: Path) -> list[ModelFolder]:
    """The models whose weights are missing, in the order in which they are configured.

    What is configured wrongly, and what cannot be fetched, is left to `model_specs`.

    Args:
        config: All settings.
        config_folder: Base of relative paths.

    Raises:
        BadManifest: A `model.json` cannot be used.
    """
    known = known_models()
    wanted = dict.fromkeys(_names(config, config_folder))
    found = (find_model(name) for name in wanted if name in known)
    return [model for model in found if _can_be_fetched(model) and _lacks_weights(model)]


def _names(config: Config, config_folder: Path) -> Iterator[str]:
    for model in config.served:
        built_in = registry.built_in(model.type)
        names = (model.path, model.interim_model)
        if model.path is None and built_in is not None:
            path, usual = registry.default_folders(built_in, os.cpu_count() or 1)
            names = (path, model.interim_model or usual)
        yield from (name for name in names if name and not is_dir(config_folder / name))
    if config.vad.engine == "silero":
        yield SILERO_FOLDER


def _can_be_fetched(model: ModelFolder) -> bool:
    return isinstance(model.manifest.source, WheelSource)


def _lacks_weights(model: ModelFolder) -> bool:
    states = check_files(model, hashes=False)
    return any(states[path] is not FileState.OK for path in model.manifest.weights)
