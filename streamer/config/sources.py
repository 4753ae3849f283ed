"""Where settings come from: file, then environment, then command line; the last one wins.

Every error is one line that names the key, the value and what is allowed.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from streamer.config import deprecations
from streamer.config.access import AccessConfig
from streamer.config.deprecations import BothNames, OldSettings, given_as
from streamer.config.explain import Problem, explain, lone_surrogate, show
from streamer.config.json_files import BadFile, decode_json, read_json
from streamer.config.numbers import with_whole_numbers
from streamer.config.schema import Config
from streamer.config.secrets import BadSecret, with_secrets
from streamer.config.section_examples import mistaken_for, section_example
from streamer.config.variables import ENVIRONMENT_PREFIX

SECRET = {
    "access": f"allowed: an object with {', '.join(AccessConfig.__struct_fields__)}",
    "access.tokens": 'allowed: a list of text, ["…", "…"]',
    "access.ticket_secrets": 'allowed: a list of text, ["…", "…"]',
}
"""Settings whose values never appear in messages; and what is allowed for each."""
Tree = dict[str, object]


class SettingsError(ValueError):
    """A setting that cannot be used; the message is one line for the person who set it.

    Attributes:
        field: The setting, `section.key`, if the message does not name its source yet.
    """

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


def with_source(
    error: SettingsError, path: Path | None, environment: Mapping[str, str]
) -> SettingsError:
    """The error with the source of its setting: a variable, or the configuration file.

    Args:
        error: Raised once the configuration had been read.
        path: The configuration file; None = there is none.
        environment: As given to `load_config`.
    """
    if error.field is None:
        return error
    section, _, key = error.field.partition(".")
    old = OldSettings(deprecations.SETTINGS)
    given = _from_environment(environment, old).get((section, key))
    source = given[1] if given else path
    return SettingsError(f"{source}: {error}") if source else SettingsError(str(error))


def load_config(
    path: Path | None,
    environment: Mapping[str, str],
    overrides: Mapping[tuple[str, str], object],
    on_deprecated: Callable[[str], object] = lambda line: None,
) -> Config:
    """Merge the configuration file, `STREAMER_SECTION__KEY` variables and command-line flags.

    Args:
        path: The configuration file; None = there is none.
        environment: All variables; those of others are ignored.
        overrides: Values of flags, by section and key.
        on_deprecated: Called with a line for each old name of a setting that is used.

    Raises:
        SettingsError: A setting is unknown, of the wrong type, or out of range.
    """
    old = OldSettings(deprecations.SETTINGS)
    tree = _read(path, old) if path else {}
    sources = _Sources(str(path or "defaults"), tree)
    for (section, key), (value, name) in _from_environment(environment, old).items():
        if section == "models":
            raise SettingsError(f"{name}: 'models' is a list, which only a file can hold")
        sources.put(section, key, value, name)
    for (section, key), value in overrides.items():
        flag = f"--{key.replace('_', '-')}"
        for current, changed in _renamed({section: {key: value}}, flag, old).items():
            sources.put(*current, changed, flag)
    for line in old.lines():
        on_deprecated(line)
    if "models" in tree and "model" in tree:
        message = "'model' is given, and 'models'; allowed: one of the two"
        raise SettingsError(f"{sources.of_section('model')}: {message}")
    if problem := lone_surrogate(tree):
        raise _refused(problem, tree, sources, old)
    try:
        config = msgspec.convert(with_whole_numbers(tree, Config), Config)
    except msgspec.ValidationError as error:
        raise _refused(explain(error, tree, Config), tree, sources, old) from None
    if problem_of_vad := config.vad.problem():
        where = sources.of_keys("vad", ("prefix_padding_ms", "min_speech_ms", "max_segment_ms"))
        raise SettingsError(f"{where}: 'vad': {problem_of_vad}")
    for section, conflict in (
        ("server", config.server.conflict()),
        ("access", config.access.conflict()),
        ("wyoming", config.wyoming.conflict()),
        ("vosk", config.vosk.conflict(config.server.dialects)),
    ):
        if conflict is not None:
            where = sources.of_keys(section, conflict.keys)
            raise SettingsError(f"{where}: {conflict.message}")
    _check_remote(config, sources)
    folder = path.parent if path else Path()
    try:
        return with_secrets(config, environment, folder)
    except BadSecret as error:
        where = sources.of(error.source) if error.of_setting else error.source
        raise SettingsError(f"{where}: {error}") from None


def _check_remote(config: Config, sources: "_Sources") -> None:
    for index, model in enumerate(config.served):
        problem = model.remote.conflict() if model.remote else None
        if problem is not None:
            field = f"models[{index}].remote" if config.models else "model.remote"
            where = sources.of(field.partition("[")[0])
            raise SettingsError(f"{where}: '{field}': {problem}")


def _refused(problem: Problem, tree: Tree, sources: "_Sources", old: OldSettings) -> SettingsError:
    field = problem.field.partition("[")[0]
    message = _without_value(field, tree) if field in SECRET else problem.message
    if hint := mistaken_for(problem.field, message, tree):
        message = message.partition("; did you mean")[0] + hint
    source = sources.of(".".join(field.split(".")[:2]))
    # Of this source alone: another one may have the old name, and a right value.
    message += given_as(
        re.sub(r"^models\[\d+\]", "model", problem.field),
        (deprecation for deprecation, names in old.used.items() if source in names),
    )
    return SettingsError(f"{source}: {message}{section_example(problem.field, tree)}")


def _without_value(field: str, tree: Tree) -> str:
    """What is wrong with a secret setting: of which kind its value is, and what is allowed."""
    value: object = tree
    for name in field.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    found = _kind(value)
    if isinstance(value, list):
        other = sorted({_kind(item) for item in value if not isinstance(item, str)})
        found = f"a list that holds {' and '.join(other)}" if other else "a list"
    return f"'{field}' is {found}; {SECRET[field]}"


def _kind(value: object) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return "null"


class _Sources:
    """Puts settings into a tree, and knows the source of each: which one to name in an error.

    Args:
        file: Name of the source of what is in the tree already.
        tree: As read from the file; it is extended.
    """

    def __init__(self, file: str, tree: Tree) -> None:
        self._file = file
        self._tree = tree
        self._names: dict[str, str] = {}
        """Sources other than the file, by `section.key`, or `section` that the file has not."""

    def put(self, section: str, key: str, value: object, source: str) -> None:
        """Set a value, over what the file says."""
        if section not in self._tree:
            self._names[section] = source
        values = self._tree.setdefault(section, {})
        if isinstance(values, dict):
            values[key] = value
        self._names[f"{section}.{key}"] = source

    def of(self, field: str) -> str:
        """The source of a section or of `section.key`."""
        return self._names.get(field, self._file)

    def of_keys(self, section: str, keys: Iterable[str]) -> str:
        """The sources of these keys of a section, without those that have their default."""
        values = self._tree.get(section)
        given = [key for key in keys if isinstance(values, dict) and key in values]
        return ", ".join(dict.fromkeys(self.of(f"{section}.{key}") for key in given))

    def of_section(self, section: str) -> str:
        """The sources of the keys of a section that are not from the file; else the file."""
        names = [name for key, name in self._names.items() if key.startswith(f"{section}.")]
        return ", ".join(names) or self._file


def _read(path: Path, old: OldSettings) -> Tree:
    try:
        tree = read_json(path)
    except BadFile as error:
        raise SettingsError(str(error)) from None
    if not isinstance(tree, dict):
        raise SettingsError(f"{path}: expected an object of sections, got {show(tree)}")
    try:
        return dict(old.renamed(tree, str(path)))
    except BothNames as error:
        raise SettingsError(f"{path}: {error}") from None


def _from_environment(
    environment: Mapping[str, str], old: OldSettings
) -> dict[tuple[str, str], tuple[object, str]]:
    found: dict[tuple[str, str], tuple[object, str]] = {}
    for name, text in environment.items():
        section, separator, key = name.removeprefix(ENVIRONMENT_PREFIX).partition("__")
        if name.startswith(ENVIRONMENT_PREFIX) and separator:
            given: Tree = {section.lower(): {key.lower(): parse(text)}}
            for current, value in _renamed(given, name, old).items():
                if (before := found.get(current)) and len({before[1].upper(), name.upper()}) > 1:
                    field = ".".join(current)
                    message = f"one of the two is an old name of '{field}'; allowed: one of the two"
                    raise SettingsError(f"{before[1]}, {name}: {message}")
                found[current] = (value, name)
    return found


def _renamed(given: Tree, source: str, old: OldSettings) -> dict[tuple[str, str], object]:
    """One setting by its current section and key."""
    tree = old.renamed(given, source)
    sections = ((name, values) for name, values in tree.items() if isinstance(values, dict))
    return {(section, key): value for section, values in sections for key, value in values.items()}


def parse(text: str) -> object:
    """`8080`, `true` and `{"delay": 1}` are JSON; anything else is a plain string."""
    try:
        return decode_json(text)
    except ValueError:
        return text
