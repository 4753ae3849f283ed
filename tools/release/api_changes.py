"""What breaks for others since the last release, and whether the changelog says so: `make api`.

The last release is the last tag. A part that was listed in its `docs/public-api.txt` and is not
listed now is a break, and so is what griffe finds in the Python packages. `CHANGELOG.md` must then
have a heading "Removed" or "Changed" in its first section.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import griffe

from tools.command_line import tool_parser
from tools.release.public_api import LISTING, PACKAGES, ROOT, load_package
from tools.release.source import TAGS

SAID = re.compile(r"^### (Removed|Changed)$", re.MULTILINE)


def last_tag(repository: Path) -> str | None:
    """The tag of the last release before what is checked out; None = there is none."""
    found = subprocess.run(
        ["git", "describe", "--tags", "--abbrev=0", "--match", TAGS],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() or None


def breaks(repository: Path, tag: str) -> Iterator[str]:
    """What others relied on in a release, and cannot rely on now: a line each.

    Args:
        repository: A checkout.
        tag: Of the release.
    """
    listed = LISTING.relative_to(ROOT)
    before = subprocess.run(
        ["git", "show", f"{tag}:{listed}"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    now = set((repository / listed).read_text().splitlines())
    yield from (line for line in before.stdout.splitlines() if line not in now)
    for package in PACKAGES:
        old = griffe.load_git(
            package,
            ref=tag,
            repo=repository,
            search_paths=[".", "client"],
            resolve_aliases=True,
            allow_inspection=False,
        )
        public = tuple(old[str(name)].canonical_path for name in old.exports or ())
        for found in griffe.find_breaking_changes(old, load_package(package, repository)):
            if found.obj.canonical_path.startswith(public):
                yield f"{_name(found.obj.path, found)}: {found.kind.value.lower()}"


def _name(path: str, found: griffe.Breakage) -> str:
    """The object, and the parameter that changed, if one did."""
    changed = found.old_value if found.old_value is not None else found.new_value
    is_parameter = isinstance(changed, griffe.Parameter)
    return f"{path}({changed.name})" if is_parameter else path


def is_said(changelog: str) -> bool:
    """Whether the first section of the changelog has breaking changes."""
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)
    return len(sections) > 1 and SAID.search(sections[1]) is not None


def main() -> int:
    """Return the exit code: 1 for a break that the changelog does not name."""
    tool_parser("tools.release.api_changes", __doc__).parse_args()
    tag = last_tag(ROOT)
    if tag is None:
        print("no tag such as v0.2.0, so no release to compare with: nothing breaks")
        return 0
    found = list(breaks(ROOT, tag))
    print(f"since {tag}: {len(found) or 'nothing'} breaks", *found, sep="\n  ")
    if found and not is_said((ROOT / "CHANGELOG.md").read_text()):
        print("CHANGELOG.md: its first section needs '### Changed' or '### Removed'")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
