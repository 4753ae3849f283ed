"""The description for a package index: a README without links that lead nowhere there.

A package index shows the README alone, so a link to another file of the repository is made
absolute: below `Source` of `project.urls`, at the tag of the release. Without this address, the
words of the link stay, and pictures are left out. Links to the sources of figures become the
figures.
"""

import re
import tomllib
from pathlib import Path

from tools.release.source import NotReleasable, Source

LINK = re.compile(
    r"""(?P<picture>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^\s)]+)(?:\s+"(?P<title>[^"]*)")?\)"""
)
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*:|#")
FIGURE = re.compile(r"(figure|claim) ")
"""How the title of a link to the source of a figure begins."""

EMPTY_LINES = re.compile(r"\n{3,}")


def describe(readme: str, address: str | None, ref: str, folder: str = "") -> str:
    """A README as a package index can show it.

    Args:
        readme: In Markdown.
        address: Of the repository; None = it has none.
        ref: The tag or commit that the links lead to.
        folder: Of the README in the repository, with a slash at its end; "" = the root.
    """

    def absolute(link: re.Match[str]) -> str:
        if ABSOLUTE.match(link["target"]):
            return link[0]
        if link["title"] and FIGURE.match(link["title"]):
            return link["text"]
        if address is None:
            return "" if link["picture"] else link["text"]
        path, hash_sign, part = link["target"].partition("#")
        kind = "raw" if link["picture"] else "blob"
        whole = f"{address}/{kind}/{ref}/{_normal(folder + path)}{hash_sign}{part}"
        return f"{link['picture']}[{link['text']}]({whole})"

    parts, end = [], 0
    for block in CODE.finditer(readme):
        parts += [LINK.sub(absolute, readme[end : block.start()]), block[0]]
        end = block.end()
    return EMPTY_LINES.sub("\n\n", "".join([*parts, LINK.sub(absolute, readme[end:])]))


def _normal(path: str) -> str:
    """A path without `..`."""
    names: list[str] = []
    for name in path.split("/"):
        if name == "..":
            names = names[:-1]
        elif name != ".":
            names.append(name)
    return "/".join(names)


def write_description(tree: Path, source: Source, folder: str = "") -> None:
    """Write the README of a project so that a package index can show it.

    Args:
        tree: A copy of the project.
        source: The commit.
        folder: As of `describe`.

    Raises:
        NotReleasable: The address in `project.urls` is none.
    """
    project = tomllib.loads((tree / "pyproject.toml").read_text())["project"]
    address = project.get("urls", {}).get("Source")
    if address is not None and not re.fullmatch(r"https://[^\s/]+/\S*[^\s/]", address):
        raise NotReleasable(f"project.urls.Source is {address!r}; allowed: https://HOST/PATH")
    readme = tree / "README.md"
    readme.write_text(describe(readme.read_text(), address, source.ref, folder))
