"""The arguments of a tool; a mistake is answered with one line, as by `streamer`."""

from streamer.cli.command_line import CommandLine


def tool_parser(module: str, description: str | None) -> CommandLine:
    """The parser of a tool that is run with `python -m MODULE`.

    Args:
        module: Its dotted name.
        description: What it does, for its help.
    """
    return CommandLine(prog=f"python -m {module}", description=description)
