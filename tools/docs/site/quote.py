"""Include code and tables in a page.

A quote is a link on a line of its own, whose title begins with `quote`:

    [How a pause begins](../../streamer/vad/segmenter.py "quote Segmenter.push")

On a code host it is a link to the file. In the site, the quoted lines follow it. So a page cannot
differ from the code, and a quote of a name that is gone ends the build.

| title | quoted |
|---|---|
| `quote` | the whole file |
| `quote Name.method` | the class, function or constant of this name, in a Python file |
| `quote Name.method bare` | the same without its docstrings |
| `quote Name.method: first … last` | its lines from the one with `first` to the one with `last` |
| `quote : first … last` | such lines of a file in any language |
| `quote table bench live` | the table between `<!-- table: bench live -->` and `<!-- end -->` |
"""

import ast
import re
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

QUOTE = re.compile(
    r'^\[(?P<caption>.+)\]\((?P<path>[^)\s]+) "quote(?: (?P<what>[^"]+))?"\)$', re.MULTILINE
)

LANGUAGES = {".py": "python", ".js": "javascript", ".json": "json", ".toml": "toml"}
"""Name of the lexer for each ending of a file; the text of other files is not coloured."""


class NoSuchQuoteError(ValueError):
    """A page quotes what its file does not have."""


class Quoted(NamedTuple):
    """Lines of a file: their text, the number of the first one from 1, and their language."""

    text: str
    first_line: int
    language: str

    def fenced(self, title: str) -> str:
        """Return a fenced block of Markdown; a table is Markdown already."""
        if self.language == "table":
            return self.text
        return f'```{self.language} title="{title}" linenums="{self.first_line}"\n{self.text}\n```'


def quoted(path: Path, what: str | None) -> Quoted:
    """Find the quoted lines.

    Args:
        path: The file.
        what: The title of the link without `quote`; None quotes the whole file.

    Raises:
        NoSuchQuoteError: The file, the name, the text or the table does not exist.
    """
    if not path.is_file():
        raise NoSuchQuoteError(f"{path}: no such file")
    source = path.read_text()
    language = LANGUAGES.get(path.suffix, "text")
    if what is None:
        return Quoted(source.rstrip(), 1, language)
    if what.startswith("table "):
        return _table(path, source, what.removeprefix("table "))
    name, _, part = what.partition(": ")
    name, bare, _ = name.partition(" bare")
    if name:
        first, last, docstrings = _named(path, source, name)
    else:
        first, last, docstrings = 1, source.count("\n") + 1, set()
    numbered = [
        (number, line)
        for number, line in enumerate(source.splitlines(), 1)
        if first <= number <= last and not (bare and number in docstrings)
    ]
    if part:
        numbered = _between(f"{path}: {name}", numbered, part)
    text = dedent("\n".join(line for _, line in numbered))
    return Quoted(text.rstrip(), numbered[0][0], language)


def _table(path: Path, source: str, name: str) -> Quoted:
    found = re.search(
        rf"^<!-- table: {re.escape(name)} -->\n\n(.*?)\n\n<!-- end -->$",
        source,
        re.MULTILINE | re.DOTALL,
    )
    if found is None:
        raise NoSuchQuoteError(f"{path}: no table {name!r}")
    return Quoted(found[1], source[: found.start(1)].count("\n") + 1, "table")


def _named(path: Path, source: str, name: str) -> tuple[int, int, set[int]]:
    """First and last line of a definition, and the lines of the docstrings in it."""
    block: list[ast.stmt] = ast.parse(source).body
    for part in name.split("."):
        found = next((i for i, one in enumerate(block) if part in _names(one)), None)
        if found is None:
            raise NoSuchQuoteError(f"{path}: no {name!r}")
        node, rest = block[found], block[found + 1 :]
        block = getattr(node, "body", [])
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
    last = node.end_lineno or node.lineno
    docstrings = {
        line
        for inner in ast.walk(node)
        if isinstance(inner, ast.Expr) and _is_text(inner)
        for line in range(inner.lineno, (inner.end_lineno or inner.lineno) + 1)
    }
    if isinstance(node, ast.Assign | ast.AnnAssign) and rest and _is_text(rest[0]):
        ends = rest[0].end_lineno or last
        docstrings |= set(range(last + 1, ends + 1))
        last = ends
    return first, last, docstrings


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _names(node: ast.stmt) -> set[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return {node.name}
        case ast.Assign():
            parts = [part for target in node.targets for part in getattr(target, "elts", [target])]
            return {part.id for part in parts if isinstance(part, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
    return set()


def _between(where: str, lines: list[tuple[int, str]], part: str) -> list[tuple[int, str]]:
    first, _, last = part.partition(" … ")
    begins = [i for i, (_, line) in enumerate(lines) if first in line]
    if len(begins) != 1:
        raise NoSuchQuoteError(f"{where}: {len(begins)} lines with {first!r}, not one")
    begin = begins[0]
    for end in range(begin, len(lines)):
        if (last or first) in lines[end][1]:
            return lines[begin : end + 1]
    raise NoSuchQuoteError(f"{where}: no line with {last!r} behind {first!r}")
