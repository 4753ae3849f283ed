"""The commands and the files of a page, in the order in which it has them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

BLOCK = re.compile(r"^```(\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SAVE_AS = re.compile(r"Save this as `([^`]+)`")


@dataclass(frozen=True, slots=True)
class Command:
    """A line for a shell."""

    text: str

    @property
    def starts_a_server(self) -> bool:
        """Whether it goes on until it is ended."""
        words = shlex.split(self.text)
        others = {"models", "load", "--version", "--help"}
        return words[0].endswith("/streamer") and not others & set(words)


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A file that a reader is told to save."""

    name: str
    content: str


def steps_of(page: str) -> Iterator[Command | SavedFile]:
    """The steps of a page in Markdown: commands of its `console` blocks, and files to save.

    Args:
        page: Its text.
    """
    after = 0
    for block in BLOCK.finditer(page):
        before = page[after : block.start()]
        after = block.end()
        language, content = block.groups()
        if language == "console":
            lines = content.replace("\\\n", " ").splitlines()
            yield from (Command(line[2:]) for line in lines if line.startswith("$ "))
        elif names := SAVE_AS.findall(before):
            yield SavedFile(names[-1], content)
