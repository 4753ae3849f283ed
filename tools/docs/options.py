"""The tables of `docs/command-line.md`, from the parsers of the commands.

A table stands between `<!-- options: COMMAND -->` and `<!-- end -->`. A command is, for example,
`streamer models check`.
"""

import argparse
import re
from collections.abc import Iterator

from streamer.__main__ import _parser as server_parser
from streamer_client.parser import build_parser as client_parser

BLOCK = re.compile(r"(<!-- options: ([\w -]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rendered(page: str) -> str:
    """The page with all tables written anew.

    Raises:
        KeyError: A command does not exist.
    """
    known = parsers()

    def block(found: re.Match[str]) -> str:
        begin, command, end = found.groups()
        return f"{begin}\n{table(known[command])}\n{end}"

    return BLOCK.sub(block, page)


def commands_of(page: str) -> list[str]:
    """The commands that a page has tables of."""
    return [command for _, command, _ in BLOCK.findall(page)]


def parsers() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command that has options, by the words of the command."""
    found = dict(_below("streamer", server_parser()))
    return {"streamer-client": client_parser(), **found}


def _below(
    name: str, parser: argparse.ArgumentParser
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    if any(_shown(action) for action in parser._actions):
        yield name, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, inner in action.choices.items():
                yield from _below(f"{name} {word}", inner)


def table(parser: argparse.ArgumentParser) -> str:
    """A row for each argument."""
    lines = ["| option | meaning |", "|---|---|"]
    for action in filter(_shown, parser._actions):
        text = ((action.help or "") % vars(action)).replace("|", "\\|")
        lines.append(f"| {_names(action)} | {text} |")
    return "\n".join(lines) + "\n"


def _shown(action: argparse.Action) -> bool:
    """Every command has `--help`, and the commands of a command have tables of their own."""
    return not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)


def _names(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else f" {_value(action)}"
    if not action.option_strings:
        return f"`{value.strip()}`"
    return ", ".join(f"`{name}{value}`" for name in action.option_strings)


def _value(action: argparse.Action) -> str:
    name = action.metavar or action.dest.upper()
    assert isinstance(name, str)
    if action.choices is not None and action.metavar is None:
        name = f"{{{','.join(map(str, action.choices))}}}"
    return f"[{name}]" if action.nargs == "?" else f"{name} …" if action.nargs == "*" else name
