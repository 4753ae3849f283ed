"""Make a release of the commit that is checked out: `make release`.

Everything goes into `build/release/VERSION`: wheels, source distributions, constraints, the context
of the image, an SBOM, and SHA256SUMS. The same commit gives the same bytes.
"""

import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

from tools.command_line import tool_parser
from tools.release.client_tree import make_client_tree
from tools.release.constraints import write_constraints
from tools.release.distributions import build
from tools.release.image_context import write_image_context
from tools.release.long_description import write_description
from tools.release.package_version import write_package_version
from tools.release.sbom import CYCLONEDX, write_sbom
from tools.release.source import NotReleasable, copy_of_commit, tag_of

ROOT = Path(__file__).parents[2]
SUMS = "SHA256SUMS"


def release(
    repository: Path, into: Path, cyclonedx: Path | None = CYCLONEDX, commit: str = "HEAD"
) -> Path:
    """Make everything; return the folder of the version.

    Args:
        repository: A checkout.
        into: The folder for the folders of versions.
        cyclonedx: The program for the SBOM; None = without one.
        commit: What is released.

    Raises:
        NotReleasable: The message is one line.
    """
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        source = copy_of_commit(repository, scratch / "source", commit)
        write_package_version(source)
        folder = into / source.version
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        context = folder / f"streamer-image-{source.version}.tar.gz"
        write_image_context(source, context, scratch / "context")
        if cyclonedx is not None:
            write_sbom(source, folder / f"streamer-server-{source.version}.cdx.json", cyclonedx)
        write_constraints(
            source.root / "requirements/image.lock",
            folder / f"streamer-constraints-{source.version}.txt",
        )
        make_client_tree(source, scratch / "client")
        write_description(scratch / "client", source, "client/")
        build(scratch / "client", source, folder, scratch / "client-built")
        # Last: setuptools would take the files that are under version control, were there any.
        shutil.rmtree(source.root / ".git")
        write_description(source.root, source)
        build(source.root, source, folder, scratch / "server-built")
    lines = [f"{_sha256(path)}  {path.name}\n" for path in sorted(folder.iterdir())]
    (folder / SUMS).write_text("".join(lines))
    return folder


def said_of_version(version: str, tag: str | None) -> str:
    """One sentence about where a version comes from.

    Args:
        version: As it is made.
        tag: Of the commit; None = it has none.
    """
    if tag is not None:
        return f"version {version}, of the tag {tag}"
    return (
        f"version {version}: the commit has no tag, so this is a version between releases. "
        "To release it: git tag vMAJOR.MINOR.PATCH, and make release again"
    )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> int:
    """Return the exit code."""
    parser = tool_parser("tools.release", __doc__)
    parser.add_argument(
        "--to", type=Path, default=ROOT / "build/release", metavar="FOLDER",
        help="where to put the folder of the version (default: build/release)",
    )  # fmt: skip
    args = parser.parse_args()
    try:
        folder = release(ROOT, args.to)
    except NotReleasable as error:
        sys.stderr.write(f"release: {error}\n")
        return 1
    for path in sorted(folder.iterdir()):
        print(f"{path.stat().st_size:>10,} bytes  {path}")
    print((folder / SUMS).read_text(), end="")
    print(said_of_version(folder.name, tag_of(ROOT)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
