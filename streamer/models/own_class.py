"""What a person probably meant, and can do, who wrote a model class: for error messages.

Imported in worker processes too; it imports nothing heavy.
"""

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

NEAR = 0.65
"""Likeness of the names of two modules, 0 to 1, from which one may be meant by the other."""

PIP_LINE = ".venv/bin/python -m pip install PACKAGE"
"""As in `docs/your-own-model.md`."""


def first_model_class(source: Path) -> str | None:
    """The name of the first class in a Python file that is a model. None = there is none."""
    text = source.read_text(errors="replace")
    found = re.search(r"^class (\w+)\(.*Model\b", text, re.MULTILINE)
    return found[1] if found else None


def type_in_package(package: str, class_name: str, folders: Iterable[str]) -> str | None:
    """The `package.module:Class` of a class in a folder that was named in place of its file.

    Args:
        package: The dotted name of the folder.
        class_name: The class that was looked for; if no file has it, the first model counts.
        folders: Where the package is.

    Returns:
        None if there is no model in its files.
    """
    sources = sorted(source for folder in folders for source in Path(folder).glob("*.py"))
    for source in sources:
        if has_class(source, class_name):
            return f"{package}.{source.stem}:{class_name}"
    for source in sources:
        if found := first_model_class(source):
            return f"{package}.{source.stem}:{found}"
    return None


def has_class(source: Path, class_name: str) -> bool:
    """Whether a Python file defines this class at its top level."""
    text = source.read_text(errors="replace")
    return re.search(rf"^class {re.escape(class_name)}\b", text, re.MULTILINE) is not None


def passed_over(module: str, used: str | None, folders: Iterable[str]) -> Path | None:
    """The Python file of a module in the place of which another of the same name was imported.

    A name of Python's own library, such as `signal`, is that of a module that is loaded already.

    Args:
        module: Its dotted name.
        used: The file that was imported; None = there is none, as for a folder.
        folders: Where modules are looked for, besides the installed packages.
    """
    if used is None:
        return None
    sources = (Path(folder, *module.split(".")).with_suffix(".py") for folder in folders)
    there = next((source for source in sources if source.is_file()), None)
    return None if there is None or there.resolve() == Path(used).resolve() else there


def near_type(module: str, class_name: str, folders: Iterable[str]) -> str | None:
    """The `module:Class` of a Python file whose name is like that of a module that was not found.

    Args:
        module: Its dotted name.
        class_name: The class that was looked for in it.
        folders: Where modules are looked for, besides the installed packages.

    Returns:
        None if there is no such file, or no class that can be meant in it.
    """
    package, dot, name = module.rpartition(".")
    for folder in folders:
        sources = {source.stem: source for source in Path(folder, *package.split(".")).glob("*.py")}
        lower = {stem.lower(): stem for stem in sources}
        for near in difflib.get_close_matches(name.lower(), lower, n=1, cutoff=NEAR):
            stem = lower[near]
            has_it = has_class(sources[stem], class_name)
            meant = class_name if has_it else first_model_class(sources[stem])
            if meant:
                return f"{package}{dot}{stem}:{meant}"
    return None


def remedy(error: BaseException) -> str:
    """What to do about a usual error in a model's code, to follow its message; "" = not known."""
    if isinstance(error, ModuleNotFoundError):
        return f"; install a package that your class needs for the server: {PIP_LINE}"
    if isinstance(error, ValueError) and "read-only" in str(error):
        return "; samples cannot be changed in place: begin with samples = samples.copy()"
    return ""
