"""Where a link of a page leads in the site.

The pages are written for a code host: their links are relative to the files of the repository. In
the site, files outside `docs/` have pages of their own. Some are documentation (`PAGES`); any other
file or folder that a page links to gets a page that shows it.
"""

import posixpath
import re
from collections.abc import Callable, Iterator
from pathlib import Path

PAGES = {
    "README.md": "start.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "models/README.md": "models.md",
    "streamer/web/streamer-client/README.md": "javascript-client.md",
}
"""Documentation outside `docs/`, and its address in the site."""

SHOWN = "source/"
"""Folder of the site for the pages that show other files."""

CODE = "docs/examples/", "docs/book/code/", "docs/book/exercises/"
"""Folders in `docs/` whose files are shown, not copied."""

LINK = re.compile(r"`[^`]*`|\]\((?P<target>[^)\s]+)(?P<title> \"[^\"]*\")?\)")
FENCE = re.compile(r"^ *(```|~~~)")
ABSOLUTE = re.compile(r"^([a-z]+:|#|/)")


def address(path: str, root: Path) -> str:
    """Return the address in the site, without a leading slash, of a file or folder.

    Args:
        path: Relative to the repository.
        root: The repository.
    """
    if path in PAGES:
        return PAGES[path]
    if (root / path).is_dir():
        return f"{SHOWN}{path}/index.md"
    if path.startswith("docs/") and not path.startswith(CODE):
        return path.removeprefix("docs/")
    return f"{SHOWN}{path}.md"


def outside_code(markdown: str, change: Callable[[str], str]) -> str:
    """Change each line that is not in a fenced block."""
    lines, fence = [], ""
    for line in markdown.split("\n"):
        mark = FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1] == fence:
            fence = ""
        elif not fence:
            line = change(line)
        lines.append(line)
    return "\n".join(lines)


def targets(markdown: str, path: str) -> Iterator[str]:
    """Yield the files and folders that a page links to, relative to the repository."""
    found: list[str] = []

    def look(line: str) -> str:
        for link in LINK.finditer(line):
            target = (link["target"] or "").partition("#")[0]
            if target and not ABSOLUTE.match(target):
                found.append(_resolved(path, target))
        return line

    outside_code(markdown, look)
    yield from found


def rewritten(markdown: str, path: str, root: Path) -> str:
    """Change the links of a page so that they are valid in the site.

    Args:
        markdown: The page's text.
        path: The page's file, relative to the repository.
        root: The repository.
    """
    here = posixpath.dirname(address(path, root))

    def change(link: re.Match[str]) -> str:
        target, mark, anchor = (link["target"] or "").partition("#")
        if not target or ABSOLUTE.match(target):
            return link[0]
        there = posixpath.relpath(address(_resolved(path, target), root), here or ".")
        return f"]({there}{mark}{anchor}{link['title'] or ''})"

    return outside_code(markdown, lambda line: LINK.sub(change, line))


def _resolved(path: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
