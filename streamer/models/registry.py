"""The models that come with the server, one entry each; and from a configured type to a model.

A new built-in model is its class and an entry in `BUILT_INS`. Besides, only the default of the
configuration (`config/schema.py`) names a built-in model; a test compares it with its entry.

Worker processes import this module to unpickle a `ModelSpec`. It imports nothing heavy: a model's
own module is imported when the model is made.
"""

import importlib
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from streamer.model import Model
from streamer.models.interims import ModelWithInterims, UnfitPair


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltIn:
    """A model that comes with the server."""

    type: str
    """What `model.type` is in the configuration."""
    class_path: str
    """`package.module:Class`."""
    manifest_kind: str | None = None
    """`kind` in the `model.json` of the folders that it takes. None = of any."""
    default_folder: str | None = None
    """Name of the folder that is used when no `model.path` is configured. None = no folder."""
    needs_path: bool = False
    """Whether `model.path` must be configured."""
    language_names: tuple[str, ...] = ()
    """Names of the one language that it transcribes: the ISO 639-1 code first, the English name
    last. Empty = not a transcriber."""


BUILT_INS: tuple[BuiltIn, ...] = (
    BuiltIn(
        type="moonshine",
        class_path="streamer.models.moonshine.transcriber:Moonshine",
        manifest_kind="moonshine",
        default_folder="moonshine-tiny-en",
        language_names=("en", "english"),
    ),
    BuiltIn(type="standin", class_path="streamer.models.standin:StandIn"),
    BuiltIn(
        type="classifier",
        class_path="streamer.models.classifier.classifier:Classifier",
        manifest_kind="classifier",
        needs_path=True,
    ),
    BuiltIn(
        type="frames",
        class_path="streamer.models.speech_frames:SpeechFrames",
        manifest_kind="silero",
        default_folder="silero-vad",
    ),
)


def built_in(model_type: str) -> BuiltIn | None:
    """The entry of a configured type. None = the type is not built in."""
    return next((entry for entry in BUILT_INS if entry.type == model_type), None)


def built_in_for_kind(manifest_kind: str) -> BuiltIn | None:
    """The entry of the model that takes folders of this `kind`. None = there is none."""
    return next((entry for entry in BUILT_INS if entry.manifest_kind == manifest_kind), None)


def manifest_kinds() -> list[str]:
    """Every `kind` that a built-in model takes."""
    return [entry.manifest_kind for entry in BUILT_INS if entry.manifest_kind is not None]


def language_names(model_type: str) -> tuple[str, ...]:
    """As `BuiltIn.language_names`; also empty for a type that is not built in."""
    entry = built_in(model_type)
    return entry.language_names if entry else ()


def allowed_types() -> str:
    """What `model.type` may be, for an error message."""
    types = ", ".join(entry.type for entry in BUILT_INS)
    return f"one of {types}, or the path of your own class, package.module:Class"


class ModelSpec(msgspec.Struct, frozen=True):
    """Everything a worker process needs to make the model.

    Attributes:
        type: A built-in type or `package.module:Class`.
        name: What clients call it.
        folder: Where its files are. None = it has none.
        options: Keyword arguments of its constructor.
        search_path: Folders to import it from, besides the installed packages.
        interim_folder: Where the files of a second model are that makes the interims. None = the
            model makes them.
        key_terms: Phrases that all clients are expected to say.
    """

    type: str
    name: str
    folder: str | None = None
    options: dict[str, object] = {}
    search_path: tuple[str, ...] = ()
    interim_folder: str | None = None
    key_terms: tuple[str, ...] = ()


class ModelTypeError(ValueError):
    """The configured type does not lead to a model class; the message says why in one line."""


def make_model(spec: ModelSpec) -> Model:
    """Import the class and load the model, or both models.

    Raises:
        ModelTypeError: The type is not a built-in and not the path of a `Model` class, an attribute
            of its model has a value that is not allowed, or there cannot be such a pair of models.
        Exception: Whatever the model's own constructor raises.
    """
    model_class = _model_class(spec)
    model = _load(model_class, spec, spec.folder)
    if spec.interim_folder is None:
        return model
    interims = _load(model_class, spec, spec.interim_folder)
    try:
        return ModelWithInterims(model, interims)
    except UnfitPair as error:
        raise ModelTypeError(f"model.interim_model is {spec.interim_folder}: {error}") from error


def _model_class(spec: ModelSpec) -> type[Model]:
    entry = built_in(spec.type)
    path = entry.class_path if entry else spec.type
    module_name, colon, class_name = path.partition(":")
    if not colon:
        raise ModelTypeError(f"model.type is {spec.type!r}; allowed: {allowed_types()}")
    sys.path[:0] = [folder for folder in spec.search_path if folder not in sys.path]
    try:
        model_class = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError, ValueError) as error:
        places = " and ".join((*spec.search_path, "among the installed packages"))
        looked = f"; looked in {places}" if _names_module(error, module_name) else ""
        raise ModelTypeError(f"cannot import model.type {spec.type!r}: {error}{looked}") from error
    if not (isinstance(model_class, type) and issubclass(model_class, Model)):
        raise ModelTypeError(f"model.type {spec.type!r} is not a subclass of streamer.Model")
    return model_class


def _load(model_class: type[Model], spec: ModelSpec, folder: str | None) -> Model:
    files = {"folder": Path(folder)} if folder else {}
    _check_arguments(model_class, spec, {**files, **spec.options})
    model = model_class(**files, **spec.options)
    for name, allowed, is_allowed in _ATTRIBUTES:
        value = getattr(model, name)
        if not is_allowed(value):
            raise ModelTypeError(
                f"{name} of model.type {spec.type!r} is {value!r}; allowed: {allowed}"
            )
    return model


def _names_module(error: Exception, module_name: str) -> bool:
    """Whether the module itself was not found, and not one that it imports."""
    return isinstance(error, ModuleNotFoundError) and module_name.startswith(str(error.name))


def _check_arguments(model_class: type[Model], spec: ModelSpec, given: dict[str, object]) -> None:
    """Check that the constructor takes what the configuration gives.

    Raises:
        ModelTypeError: It does not.
    """
    try:
        signature = inspect.signature(model_class)
    except ValueError:  # of a class that is not written in Python
        return
    try:
        signature.bind(**given)
    except TypeError as error:
        takes = ", ".join(signature.parameters) or "nothing"
        raise ModelTypeError(
            f"the constructor of model.type {spec.type!r} does not fit 'model.options' and "
            f"'model.path': {error}; it takes {takes} ('folder' comes from 'model.path', the "
            "others from 'model.options')"
        ) from None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and value > 0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value < float("inf")


_ATTRIBUTES: tuple[tuple[str, str, Callable[[object], bool]], ...] = (
    ("sample_rate", "a whole number of Hz", _is_count),
    ("max_batch_size", "a whole number from 1", _is_count),
    ("max_batch_wait_ms", "a number from 0", _is_number),
    ("max_seconds", "a number above 0, or None", lambda v: v is None or (_is_number(v) and v != 0)),
)
"""What a model declares: the attribute, its allowed values in words, and the check of one."""
