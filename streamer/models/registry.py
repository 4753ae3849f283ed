"""The models that come with the server, one entry each; and from a configured type to a model.

A new built-in model is its class and an entry in `BUILT_INS`. Besides, only the default of the
configuration (`config/models.py`) names a built-in model; a test compares it with its entry.

Worker processes import this module to unpickle a `ModelSpec`. It imports nothing heavy: a model's
own module is imported when the model is made.
"""

import difflib
import importlib
import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, ModuleType

import msgspec

from streamer.model import Model, StatefulModel
from streamer.models.declared import wrong_attribute
from streamer.models.interims import ModelWithInterims, UnfitPair
from streamer.models.own_class import near_type, passed_over, remedy, type_in_package


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
    default_interim_folder: str | None = None
    """Name of the folder of the second model, for interims, that is used with `default_folder`."""
    single_core_folder: str | None = None
    """Name of the folder that is used instead of both on a machine with one core."""
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
        default_folder="moonshine-base-en",
        default_interim_folder="moonshine-tiny-en",
        single_core_folder="moonshine-tiny-en",
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


def default_folders(entry: BuiltIn, cores: int) -> tuple[str | None, str | None]:
    """The folders of the model, and of the second one for interims, where none is configured."""
    if cores < 2 and entry.single_core_folder:
        return entry.single_core_folder, None
    return entry.default_folder, entry.default_interim_folder


OTHER_TYPES: Mapping[str, str] = MappingProxyType(
    {"onnx": "classifier", "silero": "frames", "vad": "frames"}
)
"""What people write for a built-in type, and the one that fits best."""


def near_built_in(name: str) -> str | None:
    """The built-in type that was probably meant by another name. None = there is none like it."""
    lower = name.lower()
    close = difflib.get_close_matches(lower, [entry.type for entry in BUILT_INS], n=1, cutoff=0.8)
    return OTHER_TYPES.get(lower) or next(iter(close), None)


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


_NO_CLASS = "a class that inherits from streamer.Model; there is none"


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
        module = importlib.import_module(module_name)
    except (ImportError, AttributeError, ValueError) as error:
        places = " and ".join((*spec.search_path, "among the installed packages"))
        hint = remedy(error)
        if _names_module(error, module_name):
            hint = f"; looked in {places}"
            if meant := near_type(module_name, class_name, spec.search_path):
                hint += f"; did you mean {meant}?"
        raise ModelTypeError(f"cannot import model.type {spec.type!r}: {error}{hint}") from error
    used = getattr(module, "__file__", None)
    if not entry and (source := passed_over(module_name, used, spec.search_path)):
        raise ModelTypeError(
            f"model.type {spec.type!r}: {source} is not used, because another module of this "
            f"name is loaded already: {used}; give the file another name, here too"
        )
    model_class = getattr(module, class_name, None)
    if not (isinstance(model_class, type) and issubclass(model_class, Model)):
        has = "is not a subclass of streamer.Model" if model_class else f"has no {class_name!r}"
        others = _classes_in(module)
        allowed = f"allowed: {others or _NO_CLASS}"
        if isinstance(model_class, type):
            allowed = f"write class {class_name}(streamer.Model)"
            allowed += f", or name {others}" if others else ""
        if model_class is None and hasattr(module, "__path__"):
            raise ModelTypeError(_is_folder(spec.type, module, class_name, allowed))
        raise ModelTypeError(
            f"model.type {spec.type!r}: {module_name!r} was found in {_file_of(module)}, and "
            f"{class_name if model_class else 'it'} {has}; {allowed}"
        )
    if missing := " and ".join(sorted(getattr(model_class, "__abstractmethods__", ()))):
        raise ModelTypeError(
            f"model.type {spec.type!r} has no method {missing}, which every "
            f"{'StatefulModel' if issubclass(model_class, StatefulModel) else 'Model'} needs "
            f"({_file_of(module)})"
        )
    return model_class


def source_of(model: Model) -> str | None:
    """The file of the class of a model of one's own. None = it is built in, or has no file."""
    model_class = type(model)
    if model_class.__module__.partition(".")[0] == __name__.partition(".")[0]:
        return None
    try:
        return inspect.getfile(model_class)
    except (TypeError, OSError):
        return None


def _is_folder(model_type: str, package: ModuleType, class_name: str, allowed: str) -> str:
    """What to say of a folder that was imported in place of a file in it."""
    name, folders = package.__name__, list(package.__path__)
    message = (
        f"model.type {model_type!r}: {name!r} is the folder {' or '.join(folders)}, and has no "
        f"{class_name!r} itself"
    )
    if meant := type_in_package(name, class_name, folders):
        inside = meant.removeprefix(f"{name}.")
        return f"{message}; did you mean {meant}, or {inside} from within that folder?"
    return f"{message}; {allowed}"


def _file_of(module: ModuleType) -> str:
    return getattr(module, "__file__", None) or "Python itself"


def _classes_in(module: ModuleType) -> str:
    """The model classes that a module defines, for an error message; empty = none."""
    names = [
        name
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, Model)
        and value.__module__ == module.__name__
        and not inspect.isabstract(value)
    ]
    return " or ".join(names)


def _load(model_class: type[Model], spec: ModelSpec, folder: str | None) -> Model:
    files = {"folder": Path(folder)} if folder else {}
    _check_arguments(model_class, spec, {**files, **spec.options})
    model = model_class(**files, **spec.options)
    if problem := wrong_attribute(model, f"model.type {spec.type!r}"):
        raise ModelTypeError(problem)
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
