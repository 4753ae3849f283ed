"""The version in the `package.json` of the browser client: that of the release, as npm has it."""

import json
import re

from tools.release.source import NotReleasable, Source

PACKAGE = "streamer/web/streamer-client/package.json"
NO_VERSION = "0.0.0"
"""What is under version control; npm wants something."""

PYTHON_VERSION = re.compile(
    r"(?P<release>\d+(?:\.\d+){0,2})(?P<before>(?:a|b|rc)\d+)?(?:\.dev(?P<dev>\d+))?(?P<local>\+[\w.]+)?"
)


def npm_version(version: str) -> str:
    """A version of PEP 440 as Semantic Versioning 2 writes it: `0.2.1-dev.5+g1a2b`.

    Args:
        version: As setuptools-scm makes it.

    Raises:
        NotReleasable: It cannot be written so.
    """
    found = PYTHON_VERSION.fullmatch(version)
    if found is None:
        raise NotReleasable(f"npm has no way to write the version {version}")
    release = ".".join([*found["release"].split("."), "0", "0"][:3])
    before = re.sub(r"(?<=[a-z])(?=\d)", ".", found["before"] or "")
    dev = f"dev.{found['dev']}" if found["dev"] else ""
    suffix = ".".join(filter(None, (before, dev)))
    return release + (f"-{suffix}" if suffix else "") + (found["local"] or "")


def write_package_version(source: Source) -> None:
    """Write the version of a release into the package.

    Args:
        source: The commit; its copy is changed.

    Raises:
        NotReleasable: npm cannot have this version.
    """
    file = source.root / PACKAGE
    text = file.read_text()
    now = f'"version": "{json.loads(text)["version"]}"'
    file.write_text(text.replace(now, f'"version": "{npm_version(source.version)}"', 1))
