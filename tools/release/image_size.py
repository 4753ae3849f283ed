"""What the image contains, layer by layer: `make image-size`.

Runs the steps of the Dockerfile in a folder, as `docker build` runs them in a container, and adds
up the bytes of the files that the last stage copies. Below these layers is the base image, which is
not fetched: `base_image.py` estimates it, and the last line has the sum of both.
"""

import sys
import tempfile
from pathlib import Path

from tools.command_line import tool_parser
from tools.harness.image import Build
from tools.release.base_image import base_mb

MOST_MB = 400.0
"""MB of the files in the layers that the Dockerfile adds."""

SHOWN = 12


def size_mb(folder: Path) -> float:
    """MB of the files in a folder; a link counts as itself."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir()) / 1e6


def layers(build: Build) -> dict[str, float]:
    """MB of each layer that the last stage copies, by its path in the image."""
    copied = [argument.split()[-1] for argument in build.final.all("COPY")]
    return {path: size_mb(build.folder / path.lstrip("/")) for path in copied}


def largest(folder: Path) -> list[tuple[float, str]]:
    """MB and names of the largest packages and models below a layer, the largest first."""
    packages = next(iter(folder.glob("lib/python3*/site-packages")), folder)
    sizes = [(size_mb(path), path.name) for path in packages.iterdir() if path.is_dir()]
    return sorted(sizes, reverse=True)[:SHOWN]


def main() -> int:
    """Return the exit code: 1 if the layers are too large."""
    tool_parser("tools.release.image_size", __doc__).parse_args()
    with tempfile.TemporaryDirectory() as name:
        build = Build(Path(name))
        build.run()
        found = layers(build)
        for path, size in found.items():
            print(f"{size:7.1f} MB  {path}")
            for part, part_name in largest(build.folder / path.lstrip("/")):
                print(f"        {part:7.1f} MB  {part_name}")
    total = sum(found.values())
    print(f"{total:7.1f} MB  in the layers of this Dockerfile; at most {MOST_MB:g} MB")
    base = base_mb()
    if base is None:
        print(f"     and  {build.final.base}: only on Debian 12 can it be estimated")
        return int(total > MOST_MB)
    print(f"{sum(base.values()):7.1f} MB  in {build.final.base}, estimated")
    for kind, estimated in base.items():
        print(f"        {estimated:7.1f} MB  {kind}")
    print(f"{total + sum(base.values()):7.1f} MB  in the whole image, estimated")
    return int(total > MOST_MB)


if __name__ == "__main__":
    sys.exit(main())
