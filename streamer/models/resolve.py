"""From the configuration to what the worker processes load: one `ModelSpec` a model."""

import difflib
import os
from collections.abc import Iterator
from pathlib import Path

from streamer.config.cores import usable_cores
from streamer.config.explain import show
from streamer.config.models import ModelConfig
from streamer.config.paths import is_file
from streamer.config.schema import Config
from streamer.config.sources import SettingsError
from streamer.models import registry
from streamer.models.own_class import first_model_class
from streamer.models.registry import BuiltIn, ModelSpec
from streamer.weights.manifest import (
    MANIFEST,
    ModelError,
    find_model,
    known_models,
    manifest_if_any,
    manifest_of,
    require,
)


def model_specs(config: Config, config_folder: Path) -> list[ModelSpec]:
    """What the workers are to load, for each model.

    Args:
        config: All settings.
        config_folder: Base of relative paths; your own model classes are imported from it.

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
                "allowed: one of its own",
                f"{section}.name",
            )
        specs.append(spec)
    return specs


def _model_spec(model: ModelConfig, section: str, config_folder: Path) -> ModelSpec:
    built_in = registry.built_in(model.type)
    if built_in is None and is_no_type(model.type):
        meant = meant_type(model.type, config_folder)
        meant = meant or registry.near_built_in(model.type)
        hint = f"did you mean {meant}?" if meant else f"allowed: {registry.allowed_types()}"
        raise SettingsError(f"'{section}.type' is {show(model.type)}; {hint}", f"{section}.type")
    path, interim_model = model.path, model.interim_model
    for name, value in (("path", path), ("interim_model", interim_model)):
        if value == "":
            raise SettingsError(
                f"'{section}.{name}' is \"\"; allowed: a folder, relative to the "
                "configuration file, a name that `streamer models list` shows, or null",
                f"{section}.{name}",
            )
    if path is None and built_in is not None:
        path, usual = registry.default_folders(built_in, usable_cores())
        interim_model = interim_model or usual
    if path is None and built_in is not None and built_in.needs_path:
        raise SettingsError(
            f"'{section}.path' is missing; type {model.type} needs one: a folder with a "
            "model.json, or a name that `streamer models list` shows",
            f"{section}.type",
        )
    folder = _folder(built_in, path, f"{section}.path", config_folder) if path else None
    interim_folder = None
    if interim_model is not None:
        setting = f"{section}.interim_model"
        interim_folder = _folder(built_in, interim_model, setting, config_folder)
        _check_pair(model, built_in, (folder, interim_folder), setting)
    return ModelSpec(
        type=model.type,
        name=model.name or _default_name(model.type, built_in, folder),
        folder=str(folder) if folder else None,
        options=model.options,
        search_path=(str(config_folder),),
        interim_folder=str(interim_folder) if interim_folder else None,
        key_terms=model.keyterms,
    )


def is_no_type(model_type: str) -> bool:
    """Whether this is not of the form `package.module:Class`, such as a path."""
    module, colon, _ = model_type.partition(":")
    return not colon or module.endswith(".py") or "/" in module


def meant_type(model_type: str, config_folder: Path) -> str | None:
    """What `alarm`, `alarm.Alarm`, `alarm.py`, `alarm.py:Alarm` or `models/alarm:Alarm` means.

    None = not known.
    """
    module, _, name = model_type.partition(":")
    module = module.removesuffix(".py").replace("/", ".").strip(".")
    head, _, last = module.rpartition(".")
    if not name and head and last[:1].isupper():
        module, name = head, last
    source = config_folder / f"{module.replace('.', '/')}.py"
    if not name and module and is_file(source):
        name = first_model_class(source) or "Class"
    if "/" in model_type and not is_file(source):  # a file elsewhere cannot be imported from here
        return None
    return f"{module}:{name}" if name else None


def _folder(built_in: BuiltIn | None, path: str, setting: str, config_folder: Path) -> Path:
    own = config_folder / path
    try:
        is_folder = own.is_dir()
    except OSError as error:  # its name is too long, or it must not be looked for
        reason = f"{error.strerror}; allowed: a folder, or a name that `streamer models list` shows"
        raise SettingsError(f"'{setting}' is {show(path)}: {reason}", setting) from error
    if not is_folder:
        return _known_folder(built_in, path, setting, own)
    manifest = manifest_if_any(own) if _has_manifest(built_in) else None
    fitting = registry.built_in_for_kind(manifest.kind) if manifest is not None else None
    if built_in is not None and fitting not in (None, built_in):
        section = setting.rpartition(".")[0]
        raise SettingsError(
            f"'{setting}' is {show(path)}, a model of the kind {fitting.manifest_kind}, and "
            f"'{section}.type' is {show(built_in.type)}; did you mean {show(fitting.type)}?",
            setting,
        )
    return own


def _check_pair(
    model: ModelConfig, built_in: BuiltIn | None, folders: tuple[Path | None, Path], setting: str
) -> None:
    """Check that the second model can make interims for the first, as far as the folders say.

    Args:
        model: Their settings.
        built_in: Of their type; None = a class of one's own.
        folders: Those of the first and of the second.
        setting: The name of the setting that leads to the second.

    Raises:
        SettingsError: It cannot.
    """
    finals, interims = folders
    given = f"'{setting}' is {show(model.interim_model)}"
    if finals is None:
        raise SettingsError(
            f"{given}, but a model of type {model.type} has no folder; allowed: null", setting
        )
    if finals.resolve() == interims.resolve():
        raise SettingsError(
            f"{given}, the model that makes the finals, too; allowed: another one, or null",
            setting,
        )
    if not _has_manifest(built_in):
        return
    first, second = (manifest_if_any(folder) for folder in (finals, interims))
    if first is None or second is None:
        return
    for property_name in ("kind", "sample_rate", "language"):
        have, need = getattr(second, property_name), getattr(first, property_name)
        if None not in (have, need) and have != need:
            raise SettingsError(
                f"{given}, whose {property_name} is {show(have)}; allowed: a model with the "
                f"{property_name} of {first.name}, {show(need)}",
                setting,
            )


def _default_name(model_type: str, built_in: BuiltIn | None, folder: Path | None) -> str:
    """The name in `model.json`, else that of the folder, else that of the class."""
    if folder is None:
        return model_type.rpartition(":")[2]
    if _has_manifest(built_in) and is_file(folder / MANIFEST):
        return manifest_of(folder).name
    return Path(os.path.normpath(folder)).name  # a path such as "." has no name of its own


def _has_manifest(built_in: BuiltIn | None) -> bool:
    """Whether a `model.json` in the folder is a manifest: one's own class may have another kind."""
    return built_in is not None and built_in.manifest_kind is not None


def _known_folder(built_in: BuiltIn | None, name: str, setting: str, own: Path) -> Path:
    """The folder of a model that has a manifest, whose `kind` must fit a built-in type.

    Args:
        built_in: Of the type; None = a class of one's own.
        name: The configured path.
        setting: What is configured, such as `model.path`.
        own: The folder that the path would be, and which does not exist.
    """
    if is_file(own):
        inside = Path(name).parent
        raise SettingsError(
            f"'{setting}' is {show(name)}, a file; allowed: its folder, {show(str(inside))}",
            setting,
        )
    if name not in known_models():
        fitting = list(_fitting_models(built_in))
        near = difflib.get_close_matches(name, fitting, n=1)
        raise SettingsError(
            f"'{setting}' is {show(name)}, and there is no folder {own}; allowed: a folder, "
            "relative to the configuration file, or a name that "
            f"`streamer models list` shows ({', '.join(fitting)})"
            + (f"; did you mean {near[0]}?" if near else ""),
            setting,
        )
    folder = require(name)
    kind = find_model(name).manifest.kind
    if built_in is not None and built_in.manifest_kind not in (None, kind):
        section = setting.rpartition(".")[0]
        raise SettingsError(
            f"'{setting}' is {show(name)}, a model of the kind {kind}; allowed with "
            f"{section}.type {built_in.type}: one of the kind {built_in.manifest_kind}",
            setting,
        )
    return folder


def _fitting_models(built_in: BuiltIn | None) -> Iterator[str]:
    """The known models of the kind that a built-in type takes; all for one's own class."""
    for name in known_models():
        kind = built_in.manifest_kind if built_in is not None else None
        try:
            if kind is None or find_model(name).manifest.kind == kind:
                yield name
        except ModelError:  # one bad manifest does not hide the other models
            continue
