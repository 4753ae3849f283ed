"""Names that go: of settings, of fields of clients' messages, of options; each still works a while.

The tables are data. An entry stands in them from the release that deprecates a name to the release
that removes it. `docs/releases.md` has the rule. Code that reads names from outside passes them
through `with_current_names` first, so the rest of the code knows current names only.

Pure.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

Tree = Mapping[str, object]


class Deprecation(NamedTuple):
    """A name that goes.

    Attributes:
        old: The name, with its dotted path: `vad.silence_ms`. Of an option, with its program:
            `streamer --old`.
        new: What takes its place, written in the same way; None = nothing, and the old name is
            still in the schema.
        since: The version that deprecates it, `MAJOR.MINOR`.
        removed_in: The version that removes it.
    """

    old: str
    new: str | None
    since: str
    removed_in: str

    def __str__(self) -> str:
        """One sentence for the person who uses the old name."""
        instead = f"use '{self.new}'" if self.new else "nothing takes its place"
        return (
            f"'{self.old}' is deprecated since {self.since}, and will be removed in "
            f"{self.removed_in}; {instead}"
        )


class BothNames(ValueError):
    """The old name is given, and the new one; the message is one sentence.

    Attributes:
        deprecation: Of the old name.
    """

    def __init__(self, deprecation: Deprecation) -> None:
        super().__init__(
            f"'{deprecation.old}' is the old name of '{deprecation.new}', and both are given; "
            f"allowed: '{deprecation.new}' alone"
        )
        self.deprecation = deprecation


SETTINGS: tuple[Deprecation, ...] = ()
"""Of the configuration. An entry for `model.…` counts for each of `models`, too."""

FIELDS: tuple[Deprecation, ...] = ()
"""Of `start` and `configure`."""

OPTIONS: tuple[Deprecation, ...] = ()
"""Of the commands; each option has its program before it."""


def with_current_names(
    tree: Tree, deprecations: Sequence[Deprecation], on_old: Callable[[Deprecation], None]
) -> Tree:
    """An object with its old names replaced by the new ones; the one that is given stays as it is.

    Args:
        tree: As parsed from JSON. What is no object where a path leads through is left as it is.
        deprecations: Of its names.
        on_old: Called for each old name that it has.

    Raises:
        BothNames: The new name is given as well.
    """
    for deprecation in deprecations:
        old = deprecation.old.split(".")
        if not _has(tree, old):
            continue
        on_old(deprecation)
        if deprecation.new is None:
            continue
        new = deprecation.new.split(".")
        if _has(tree, new):
            raise BothNames(deprecation)
        value, tree = _without(tree, old)
        tree = _with(tree, new, value)
    return tree


def _has(tree: object, path: Sequence[str]) -> bool:
    for name in path:
        if not isinstance(tree, dict) or name not in tree:
            return False
        tree = tree[name]
    return True


def _without(tree: Tree, path: Sequence[str]) -> tuple[object, Tree]:
    """The value at a path that there is, and the tree without it and without what it empties."""
    name, *rest = path
    others = {key: value for key, value in tree.items() if key != name}
    if not rest:
        return tree[name], others
    inner = tree[name]
    assert isinstance(inner, dict)  # the path is there
    value, left = _without(inner, rest)
    return value, {**others, name: left} if left else others


def _with(tree: Tree, path: Sequence[str], value: object) -> Tree:
    name, *rest = path
    if not rest:
        return {**tree, name: value}
    inner = tree.get(name)
    if inner is None:  # absent, or as the default
        inner = {}
    # What else is no object is refused by the schema, with the name of its field.
    return {**tree, name: _with(inner, rest, value)} if isinstance(inner, dict) else tree


def given_as(field: str, used: Iterable[Deprecation]) -> str:
    """What follows a message about a field: the old name that it was given by; empty = by its own.

    Args:
        field: With its dotted path.
        used: The old names that are given.
    """
    for deprecation in used:
        if deprecation.new and f"{field}.".startswith(f"{deprecation.new}."):
            return f"; it is given as '{deprecation.old}'"
    return ""


class OldSettings:
    """The old names of settings that are in use, and where each is.

    Args:
        deprecations: Those that there are.
    """

    def __init__(self, deprecations: Sequence[Deprecation]) -> None:
        self._deprecations = deprecations
        self._of_models = [
            each for each in deprecations
            if each.old.startswith("model.") and (each.new or "model.").startswith("model.")
        ]  # fmt: skip
        self.used: dict[Deprecation, list[str]] = {}
        """With the names of the sources, in the order of their reading."""

    def renamed(self, tree: Tree, source: str) -> Tree:
        """Settings by section and key, with their current names.

        Args:
            tree: The settings of one source; for a file, with its list of `models`.
            source: The file, the variable or the option, as errors name it.

        Raises:
            BothNames: The source has an old name and its new one.
        """

        def note(deprecation: Deprecation) -> None:
            sources = self.used.setdefault(deprecation, [])
            if source not in sources:
                sources.append(source)

        tree = with_current_names(tree, self._deprecations, note)
        models = tree.get("models")
        if isinstance(models, list):
            renamed = (with_current_names({"model": m}, self._of_models, note) for m in models)
            tree = {**tree, "models": [each["model"] for each in renamed]}
        return tree

    def lines(self) -> Iterator[str]:
        """One line for each old name, with all its sources."""
        for deprecation, sources in self.used.items():
            yield f"{', '.join(sources)}: {deprecation}"
