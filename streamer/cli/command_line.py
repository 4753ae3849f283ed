"""The argument parser of the commands: a mistake is answered with one line that has the remedy."""

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from streamer.cli.meant import (
    ADDRESS,
    long_option,
    meant_option,
    near_option,
    nearest,
    plain,
    programs_with,
    whole_address,
    with_hyphens,
    with_usual_dashes,
)
from streamer.config import deprecations
from streamer.config.paths import is_file

USAGE = 2
"""Exit code for wrong arguments."""


class CommandLine(argparse.ArgumentParser):
    """Like `argparse.ArgumentParser`, but prints one line for a mistake, and no usage.

    Args:
        without_command: What the program does without a command; for errors about commands.
        elsewhere: What to do instead of giving an option that there is not; None = not known.
        other_word: What was meant by a word that is no command, such as the name of a file, in a
            sentence; None = not known.
        settings: Those of `argparse.ArgumentParser`.
    """

    def __init__(
        self,
        *,
        without_command: str = "",
        elsewhere: Callable[[str], str | None] = lambda option: None,
        other_word: Callable[[str], str | None] = lambda word: None,
        **settings: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(**{**settings, "allow_abbrev": False})
        self._without_command = without_command
        self._other_way = elsewhere
        self._other_word = other_word
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
        args = self._with_current_options(sys.argv[1:] if args is None else args)
        self._arguments = args
        self._refuse_other_dashes()
        return super().parse_known_args(args, namespace)

    def _with_current_options(self, args: Sequence[str]) -> list[str]:
        """The arguments with the new names of options; a line on stderr for each old name."""
        of_this = {
            each.old.removeprefix(f"{self.prog} "): each
            for each in deprecations.OPTIONS
            if each.old.rpartition(" ")[0] == self.prog
        }
        current, noted = list(args), set()
        for place, argument in enumerate(args):
            if argument == "--" or argument in self._commands:
                break
            name, equals, value = argument.partition("=")
            if (deprecation := of_this.get(name)) is None:
                continue
            if name not in noted:
                sys.stderr.write(f"{self.prog}: {deprecation}\n")
            noted.add(name)
            if deprecation.new is not None:
                current[place] = f"{deprecation.new.rpartition(' ')[2]}{equals}{value}"
        return current

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
        address = next(filter(is_address, rest), None)
        if address is not None and "--addr" in chosen._options:
            chosen.exit_with(f"{address!r} is an address: give it with --addr")
        chosen.exit_with(f"there is nothing to do with {' '.join(map(repr, rest))}")

    def error(self, message: str) -> NoReturn:
        """Exit with one line; an unknown option may be what led to any other problem."""
        unknown = next(self._unknown_options(), None)
        if self._command is not None and message.endswith(f": {self._command.metavar}"):
            message = f"a command is missing; there are {', '.join(self._commands)}"
        if extra := re.fullmatch(r"argument (\S+): ignored explicit argument '(.*)'", message):
            message = f"{extra[1]} takes no value: leave out {extra[2]!r}"
        missing = re.fullmatch(r"the following arguments are required: (--[\w-]+)", message)
        if missing and (word := self._loose_word()) is not None:
            message = f"{missing[1]} is missing; did you mean {missing[1]} {word}?"
            if is_address(word) and "--addr" in self._options:
                message = f"{missing[1]} is missing; the address is given with --addr {word}"
        self.exit_with(message if unknown is None else self._unknown(unknown))

    def _loose_word(self) -> str | None:
        """The first argument that is no option, and follows none, whose value it may be."""
        before = ""
        for argument in self._arguments:
            if not argument.startswith("-") and not before.startswith("-"):
                return argument
            before = argument
        return None

    def exit_with(self, message: str) -> NoReturn:
        """Exit with one line."""
        self.exit(USAGE, f"{self.prog}: {message} (see {self.prog} --help)\n")

    def _unknown_options(self) -> Iterator[str]:
        for argument in self._arguments:
            if argument == "--" or argument in self._commands:
                return
            if _is_option(argument) and argument.partition("=")[0] not in self._options:
                yield argument

    def _refuse_other_dashes(self) -> None:
        """Exit because of an option with one dash for two, or with a dash that is none."""
        before = ""
        for argument in self._arguments:
            if argument == "--" or argument in self._commands:
                return
            action = self._option_string_actions.get(before)
            is_value = action is not None and action.nargs is None
            before = argument
            if is_value or argument.partition("=")[0] in self._options:
                continue
            if long_option(argument, self._options) is not None:
                self.exit_with(self._unknown(argument))
            if (hyphened := with_hyphens(argument)) is None or is_file(argument):
                continue
            name = argument.partition("=")[0]  # without the value, which may be a token
            if (usual := with_usual_dashes(argument, self._options)) is not None:
                self.exit_with(f"{name!r} begins with a long dash; did you mean {usual}?")
            if (instead := self._other_way(hyphened)) is not None:
                self.exit_with(f"{name!r} begins with a long dash, and {instead}")

    def _unknown(self, option: str) -> str:
        name = option.partition("=")[0]
        if is_file(option):
            return f"there is no option {name}; if it is the file: ./{option}"
        if (meant := meant_option(name, self._options)) is not None:
            whole = ""
            if meant == "--addr" and plain(name) != plain(meant):
                address = whole_address(name, self._value_of(option))
                whole = f" It takes the whole address: -a {address}"
            return f"there is no option {name}; did you mean {meant}?{whole}"
        if (instead := self._other_way(option)) is not None:
            return f"there is no option {name}; {instead}"
        if others := programs_with(name, self.prog):
            return f"there is no option {name}; {_of_others(others)}"
        near = near_option(name, self._options)
        return f"there is no option {name}" + (f"; did you mean {near}?" if near else "")

    def _value_of(self, option: str) -> str:
        """What follows an option, as the value that it may have; empty = nothing does."""
        _, equals, value = option.partition("=")
        if equals:
            return value
        after = self._arguments[list(self._arguments).index(option) + 1 :][:1]
        return next((word for word in after if not word.startswith("-") and not is_file(word)), "")

    def _check_value(self, action: argparse.Action, value: Any) -> None:  # noqa: ANN401
        """Refuse a word that is not one of the choices of an argument."""
        choices = list(map(str, action.choices or ()))
        if not choices or str(value) in choices:
            return
        near = None
        if action is self._command:
            if (instead := self._other_word(str(value))) is not None:
                raise argparse.ArgumentError(None, f"there is no command {str(value)!r}; {instead}")
            near = self._elsewhere(str(value))
        near = near or nearest(str(value).lower(), choices)
        hint = f"; did you mean {near}?" if near else f"; allowed: {', '.join(choices)}"
        if action is self._command:
            rest = f"; {self._without_command}" if self._without_command and not near else ""
            raise argparse.ArgumentError(None, f"there is no command {str(value)!r}{hint}{rest}")
        raise argparse.ArgumentError(action, f"there is no {str(value)!r}{hint}")

    def _elsewhere(self, word: str) -> str | None:
        """What was probably meant by a word in the place of a command that is none; None = unknown.

        It may be a command of a command, or an option without its dashes.
        """
        commands: Mapping[str, CommandLine] = (self._command and self._command.choices) or {}  # type: ignore[assignment]
        for name, command in commands.items():
            if word in command._commands:  # noqa: SLF001 – of the same class
                return f"{name} {word}"
        return f"--{word}" if f"--{word}" in self._options else None

    @property
    def _options(self) -> list[str]:
        return list(self._option_string_actions)

    @property
    def _commands(self) -> list[str]:
        return list(map(str, (self._command and self._command.choices) or ()))


def open_missing_streams() -> None:
    """Give a program whose standard streams were closed before it started empty ones.

    Python leaves them None, on which writing raises an `AttributeError`.
    """
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 – for the whole process
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115


def is_address(word: str) -> bool:
    """Whether a word is the address of a server, whole or in part, such as `localhost:8080`."""
    return ADDRESS.fullmatch(word) is not None


def _of_others(programs: Sequence[str]) -> str:
    """Which other programs have an option."""
    server = ", the server" if programs == ["streamer"] else ""
    return f"it is an option of {' and '.join(programs)}{server}"


def _is_option(argument: str) -> bool:
    return re.match(r"-[^\d.]", argument) is not None
