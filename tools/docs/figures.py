"""Figures in the text of a page, from the results of benchmarks.

A figure is a link to the file of results that it comes from. Its title says where it is in there:

    [587](performance/bench.json "figure early: early finals=yes: final p50 ms") ms

| title | meaning |
|---|---|
| `figure REFERENCE` | the text of the link is this number, with as many decimals as it has there |
| `figure {REFERENCE} / {REFERENCE}` | it is computed from several: `+ - * /` and parentheses |
| `claim 0.2 to 0.35: {REFERENCE} / {REFERENCE}` | the text is in words, right within limits |

A reference is the way through the file, separated by `: `. A part is a name, or, in a list of rows,
what is in the row: `streams=32; interims=no`; the only row needs no such part. A mean with its
standard error counts as the mean.

`make bench-publish` writes the figures anew. A claim cannot be written anew: if it does not hold
any more, its sentence has to change, and a test names it.
"""

import ast
import json
import operator
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

FIGURE = re.compile(
    r'\[(?P<shown>[^\[\]]+)\]\((?P<path>[^)\s]+\.json)\s+"(?P<verb>figure|claim)\s(?P<what>[^"]+)"\)'
)
_CLAIM = re.compile(r"(?P<least>-?[\d.]+) to (?P<most>-?[\d.]+): (?P<expression>.+)")
_REFERENCE = re.compile(r"{([^}]+)}")
_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class NoSuchFigureError(ValueError):
    """A page names a figure that its file does not have."""


class Rewritten(NamedTuple):
    """A page with its figures as they are in the files, and the claims that do not hold."""

    text: str
    broken: list[str]


def rewritten(page: str, folder: Path) -> Rewritten:
    """Write the figures of a page anew.

    Args:
        page: Its text.
        folder: That of the page, from which its links lead.

    Raises:
        NoSuchFigureError: A file, a part of a reference or a row does not exist.
    """
    broken = []

    def figure(found: re.Match[str]) -> str:
        path, what = folder / found["path"], " ".join(found["what"].split())
        if found["verb"] == "figure":
            number = f"{value(path, what):.{_decimals(found['shown'])}f}"
            return found[0].replace(f"[{found['shown']}]", f"[{number}]", 1)
        claim = _CLAIM.fullmatch(what)
        if claim is None:
            raise NoSuchFigureError(f"a claim is 'LEAST to MOST: EXPRESSION', not {what!r}")
        now = value(path, claim["expression"])
        if not float(claim["least"]) <= now <= float(claim["most"]):
            broken.append(f"“{found['shown']}” is {now:g}, not {what}")
        return found[0]

    return Rewritten(FIGURE.sub(figure, page), broken)


def value(path: Path, expression: str) -> float:
    """Compute an expression.

    Args:
        path: The file of results.
        expression: One reference, or several in braces.

    Raises:
        NoSuchFigureError: See `rewritten`.
    """
    try:
        results = json.loads(path.read_text())
    except OSError:
        raise NoSuchFigureError(f"{path}: no such file") from None
    if "{" not in expression:
        return _referred(path, results, expression)
    numbers = _REFERENCE.sub(lambda found: repr(_referred(path, results, found[1])), expression)
    try:
        return _computed(ast.parse(numbers, mode="eval").body)
    except (SyntaxError, TypeError) as error:
        raise NoSuchFigureError(f"{expression!r} cannot be computed: {error}") from None


def _decimals(shown: str) -> int:
    return len(shown.partition(".")[2])


def _computed(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_computed(operand)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
            return _OPERATORS[type(sign)](_computed(left), _computed(right))
    raise TypeError("only numbers, + - * / and parentheses are allowed")


def _referred(path: Path, results: Any, reference: str) -> float:  # noqa: ANN401 – any JSON
    found, rest = results, reference.split(": ")
    while rest:
        if isinstance(found, list):
            wanted = rest.pop(0) if "=" in rest[0] else ""
            rows = [row for row in found if _fits(row, wanted)]
            if len(rows) != 1:
                named = f"{len(rows)} rows with {wanted!r}" if wanted else f"{len(rows)} rows"
                raise NoSuchFigureError(f"{path.name}: {named}, not one")
            found = rows[0]
        elif isinstance(found, dict) and (name := _longest_name(found, rest)):
            found, rest = found[name], rest[name.count(": ") + 1 :]
        else:
            raise NoSuchFigureError(f"{path.name}: no {rest[0]!r} of {reference!r}")
    if isinstance(found, dict) and "mean" in found:
        found = found["mean"]
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise NoSuchFigureError(f"{path.name}: {reference!r} is {found!r}, not a number")
    return found


def _longest_name(names: dict[str, Any], rest: list[str]) -> str | None:
    """A name may have `: ` in it."""
    joined = (": ".join(rest[:length]) for length in range(len(rest), 0, -1))
    return next((name for name in joined if name in names), None)


def _fits(row: Any, wanted: str) -> bool:  # noqa: ANN401 – any JSON
    return isinstance(row, dict) and all(
        name in row and _cell(row[name]) == cell
        for name, _, cell in (part.partition("=") for part in wanted.split("; ") if part)
    )


def _cell(given: object) -> str:
    if isinstance(given, bool):
        return "yes" if given else "no"
    return f"{given:g}" if isinstance(given, float) else str(given)
