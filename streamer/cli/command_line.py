"""The argument parser of the commands: a mistake is answered with one line that has the remedy."""

import argparse
import difflib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

USAGE = 2
"""Exit code for wrong arguments."""

OTHER_WORDS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("url", "uri", "server", "host", "port"), "--addr"),
        **dict.fromkeys(("bind", "listen"), "--host"),
        **dict.fromkeys(("format", "output-format"), "--output"),
        "settings": "--config",
    }
)
"""What other programs call an option, and ours for it, where a program has that."""

SHORTEST_PART = 3
"""Characters. A word that another one begins with counts as that one from this length on."""


class CommandLine(argparse.ArgumentParser):
    """Like `argparse.ArgumentParser`, but prints one line for a mistake, and no usage.

    Args:
        without_command: What the program does without a command; for errors about commands.
        settings: Those of `argparse.ArgumentParser`.
    """

    def __init__(self, *, without_command: str = "", **settings: Any) -> None:  # noqa: ANN401
        super().__init__(**{**settings, "allow_abbrev": False})
        self._without_command = without_command
        self._arguments: Sequence[str] = ()
        self._command: argparse.Action | None = None
        # Of a command's own parser, this replaces the one of the whole.
        self.set_defaults(command_line=self)

    def add_subparsers(self, **settings: Any) -> Any:  # noqa: ANN401
        """Add commands, and note the argument that chooses one."""
        self._command = super().add_subparsers(**settings)
        return self._command

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse, and note the arguments for `error`."""
        self._arguments = sys.argv[1:] if args is None else args
        return super().parse_known_args(args, namespace)

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """Parse; an unknown option is answered with the one that may have been meant."""
        given, rest = self.parse_known_args(args, namespace)
        if rest:
            self.refuse(rest, given)
        return given

    def refuse(self, rest: Sequence[str], given: argparse.Namespace) -> NoReturn:
        """Exit because of arguments that nothing takes."""
        chosen: CommandLine = given.command_line
        unknown = next(filter(_is_option, rest), None)
        if unknown is not None:
            chosen.exit_with(chosen._unknown(unknown))
        chosen.exit_with(f"there is nothing to do with {' '.join(map(repr, rest))}")

    def error(self, message: str) -> NoReturn:
        """Exit with one line; an unknown option may be what led to any other problem."""
        unknown = next(self._unknown_options(), None)
        if self._command is not None and message.endswith(f": {self._command.metavar}"):
            message = f"a command is missing; there are {', '.join(self._commands)}"
        self.exit_with(message if unknown is None else self._unknown(unknown))

    def exit_with(self, message: str) -> NoReturn:
        """Exit with one line."""
        self.exit(USAGE, f"{self.prog}: {message} (see {self.prog} --help)\n")

    def _unknown_options(self) -> Iterator[str]:
        for argument in self._arguments:
            if argument == "--" or argument in self._commands:
                return
            if _is_option(argument) and argument.partition("=")[0] not in self._options:
                yield argument

    def _unknown(self, option: str) -> str:
        name = option.partition("=")[0]
        by_word = {option.strip("-"): option for option in self._options}
        meant = OTHER_WORDS.get(name.strip("-"))
        if meant not in self._options:
            near = nearest(name.strip("-"), list(by_word))
            meant = by_word[near] if near else None
        return f"there is no option {name}" + (f"; did you mean {meant}?" if meant else "")

    def _check_value(self, action: argparse.Action, value: Any) -> None:  # noqa: ANN401
        """Refuse a word that is not one of the choices of an argument."""
        choices = list(map(str, action.choices or ()))
        if not choices or str(value) in choices:
            return
        near = self._elsewhere(str(value)) if action is self._command else None
        near = near or nearest(str(value), choices)
        hint = f"; did you mean {near}?" if near else f"; allowed: {', '.join(choices)}"
        if action is self._command:
            rest = f"; {self._without_command}" if self._without_command and not near else ""
            raise argparse.ArgumentError(None, f"there is no command {str(value)!r}{hint}{rest}")
        raise argparse.ArgumentError(action, f"there is no {str(value)!r}{hint}")

    def _elsewhere(self, word: str) -> str | None:
        """What was probably meant by a word in the place of a command that is none; None = unknown.

        It may be a command of a command, or the file that an option takes.
        """
        commands: Mapping[str, CommandLine] = (self._command and self._command.choices) or {}  # type: ignore[assignment]
        for name, command in commands.items():
            if word in command._commands:  # noqa: SLF001 – of the same class
                return f"{name} {word}"
        return f"--config {word}" if "--config" in self._options and Path(word).is_file() else None

    @property
    def _options(self) -> list[str]:
        return list(self._option_string_actions)

    @property
    def _commands(self) -> list[str]:
        return list(map(str, (self._command and self._command.choices) or ()))


def nearest(word: str, words: Sequence[str]) -> str | None:
    """The one of `words` that was probably meant; None = there is none like it."""
    longer = [other for other in words if len(word) >= SHORTEST_PART and other.startswith(word)]
    shorter = [other for other in words if len(other) >= SHORTEST_PART and word.startswith(other)]
    close = difflib.get_close_matches(word, words, n=1)
    return next(iter([*longer, *close, *shorter]), None)


def _is_option(argument: str) -> bool:
    return re.match(r"-[^\d.]", argument) is not None
