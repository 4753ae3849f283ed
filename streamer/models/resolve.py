"""What the configuration asks for: the models that the workers load."""

import os
from pathlib import Path

from streamer.config.explain import show
from streamer.config.schema import Config, ModelConfig
from streamer.config.sources import SettingsError
from streamer.model import BUILT_IN, ModelSpec
from streamer.weights.manifest import find_model, known_models, require

KINDS = {"moonshine": "moonshine", "classifier": "classifier", "frames": "silero"}
"""What a manifest's `kind` must be for a built-in model."""

DEFAULT_FOLDERS = {"moonshine": "moonshine-tiny-en", "frames": "silero-vad"}


def model_specs(config: Config, config_folder: Path) -> list[ModelSpec]:
    """What the workers are to load, for each model.

    Args:
        config: All settings.
        config_folder: Relative paths and your own model classes are looked for here.

    Raises:
        MissingModel: The configured weights are not on this machine; the message says what to do.
        SettingsError: There can be no such model, or two have the same name.
    """
    specs: list[ModelSpec] = []
    for index, model in enumerate(config.served):
        section = f"models[{index}]" if config.models else "model"
        spec = _model_spec(model, section, config_folder)
        if spec.name in (other.name for other in specs):
            raise SettingsError(
                f"'{section}.name' is {show(spec.name)}, the name of another model; "
                "allowed: one of its own"
            )
        specs.append(spec)
    return specs


def _model_spec(model: ModelConfig, section: str, config_folder: Path) -> ModelSpec:
    if model.type not in BUILT_IN and ":" not in model.type:
        known = ", ".join(BUILT_IN)
        raise SettingsError(
            f"'{section}.type' is {show(model.type)}; allowed: one of {known}, or the path of "
            "your own class, package.module:Class"
        )
    path = model.path or DEFAULT_FOLDERS.get(model.type)
    if path is None and model.type == "classifier":
        raise SettingsError(
            f"'{section}.path' is missing; type classifier needs one: a folder with a model.json, "
            "or a name that `streamer models list` shows"
        )
    folder = None
    if path:
        own = config_folder / path
        folder = own if own.is_dir() else _shipped(model.type, path, section)
    return ModelSpec(
        type=model.type,
        name=model.name or _default_name(model.type, folder),
        folder=str(folder) if folder else None,
        options=model.options,
        search_path=(str(config_folder),),
    )


def _default_name(model_type: str, folder: Path | None) -> str:
    if folder is None:
        return model_type.rpartition(":")[2]
    return Path(os.path.normpath(folder)).name  # a path such as "." has no name of its own


def _shipped(model_type: str, name: str, section: str) -> Path:
    """The folder of a model with a manifest, which says what type it is for."""
    if name not in known_models():
        raise SettingsError(
            f"'{section}.path' is {show(name)}; allowed: a folder, or a name that "
            f"`streamer models list` shows ({', '.join(known_models())})"
        )
    folder = require(name)
    fitting = KINDS.get(model_type)
    kind = find_model(name).manifest.kind
    if fitting not in (None, kind):
        raise SettingsError(
            f"'{section}.path' is {show(name)}, a model of the kind {kind}; "
            f"allowed with {section}.type {model_type}: one of the kind {fitting}"
        )
    return folder
