"""The tables of `docs/configuration.md`, from the schema.

A table stands between `<!-- settings: SECTION -->` and `<!-- end -->`. Its texts are the docstrings
below the settings, and the rest is what their classes say to the server itself. The block
`<!-- settings: environment -->` has the variable of each setting.
"""

import ast
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from textwrap import dedent

import msgspec

from streamer.config.explain import allowed
from streamer.config.remote import RemoteConfig
from streamer.config.schema import Config
from streamer.config.variables import ENVIRONMENT_PREFIX
from streamer.protocol.requests import VadOptions

BLOCK = re.compile(r"(<!-- settings: ([\w.]+) -->\n).*?(<!-- end -->)", re.DOTALL)
OF_A_STREAM = {"vad": frozenset(VadOptions.__struct_fields__)}
"""Settings that a stream may override, by section."""

NESTED: Mapping[str, type[msgspec.Struct]] = {"model.remote": RemoteConfig}
"""Settings that are objects with tables of their own."""


class UndocumentedError(ValueError):
    """A setting has no docstring."""


def rendered(page: str) -> str:
    """The page with all blocks written anew.

    Raises:
        UndocumentedError: See there.
    """

    def block(found: re.Match[str]) -> str:
        begin, section, end = found.groups()
        written = variables() if section == "environment" else table(section)
        return f"{begin}\n{written}\n{end}"

    return BLOCK.sub(block, page)


def sections_of(page: str) -> list[str]:
    """The sections that a page has tables of."""
    others = {"environment", *NESTED}
    return [name for _, name, _ in BLOCK.findall(page) if name not in others]


def defaults() -> dict[str, dict[str, object]]:
    """Every setting of each section with its default, as JSON has it."""
    values: dict[str, dict[str, object]] = json.loads(msgspec.json.encode(Config()))
    return values


def defaults_of(struct: type[msgspec.Struct]) -> dict[str, object]:
    """Every field of an object with its default; `msgspec.NODEFAULT` = it has none."""
    fields = msgspec.structs.fields(struct)
    return {
        field.name: field.default if field.default_factory is msgspec.NODEFAULT else {}
        for field in fields
    }


def table(section: str) -> str:
    """A row for each setting of a section, or of an object in one."""
    nested = NESTED.get(section)
    values = defaults_of(nested) if nested else defaults()[section]
    struct = nested or type(getattr(Config(), section))
    texts = docstrings(struct)
    marked = OF_A_STREAM.get(section)
    head = ["key", "default", "allowed", *([""] if marked else []), "meaning"]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for key, default in values.items():
        if key not in texts:
            raise UndocumentedError(f"{section}.{key} has no docstring in {struct.__module__}")
        shown = "required" if default is msgspec.NODEFAULT else _cell(default)
        cells = [f"`{key}`", shown, _allowed(f"{section}.{key}")]
        cells += ["✓" if key in marked else ""] if marked else []
        lines.append(f"| {' | '.join([*cells, texts[key]])} |")
    return "\n".join(lines) + "\n"


def variables() -> str:
    """The variable of each setting with its default; without one, in a comment."""
    lines = [
        f"{'# ' if value is None else ''}{variable(section, key)}={_shell(value)}"
        for section, values in defaults().items()
        for key, value in values.items()
    ]
    return "\n".join(["```sh", *lines, "```"]) + "\n"


def variable(section: str, key: str) -> str:
    """The name of a setting in the environment."""
    return f"{ENVIRONMENT_PREFIX}{section}__{key}".upper()


def docstrings(section: type) -> Mapping[str, str]:
    """The text below each field of a struct, in one line."""
    (node,) = ast.parse(dedent(inspect.getsource(section))).body
    assert isinstance(node, ast.ClassDef)
    return dict(_documented(node.body))


def _documented(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for field, text in pairwise(body):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(words))),
            ):
                yield name, " ".join(words.split())


def _cell(value: object) -> str:
    match value:
        case str():
            return f"`{value}`" if value else "empty"
        case list() | dict():
            return f"`{json.dumps(value)}`"
        case _:
            return _plain(value)


def _plain(value: object) -> str:
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)


def _shell(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case list() | dict():
            return f"'{json.dumps(value)}'"
        case _:
            return _plain(value)


def _allowed(field: str) -> str:
    words = allowed(field, Config).removeprefix("a number ")
    if words.startswith("one of "):
        return ", ".join(f"`{word}`" for word in words.removeprefix("one of ").split(", "))
    return words.replace("|", "\\|")
