"""What the image contains, layer by layer: `make image-size`.

Runs the steps of the Dockerfile in a folder, as `docker build` runs them in a container, and adds
up the bytes of the files that the last stage copies. Below these layers is the base image, whose
packages come from Debian's archive (`base_image.py`). The last line has the sum of both.
"""

import sys
import tempfile
from pathlib import Path

from tools.command_line import tool_parser
from tools.harness.image import Build
from tools.release.base_image import MOST_MB as MOST_BASE_MB
from tools.release.base_image import PYTHON, size_mb, unpack_base
from tools.release.pythons import find_python

MOST_MB = 400.0
"""MB of the files in the image: in the layers that the Dockerfile adds, and in the base image."""

SHOWN = 12


def image_python() -> str:
    """An interpreter of the image's version; where there is none, the one that runs this."""
    return find_python(PYTHON) or sys.executable


def layers(build: Build) -> dict[str, float]:
    """MB of each layer that the last stage copies, by its path in the image."""
    copied = [argument.split()[-1] for argument in build.final.all("COPY")]
    return {path: size_mb(build.folder / path.lstrip("/")) for path in copied}


def largest(folder: Path) -> list[tuple[float, str]]:
    """MB and names of the largest packages and models below a layer, the largest first."""
    packages = next(iter(folder.glob("lib/python3*/site-packages")), folder)
    sizes = [(size_mb(path), path.name) for path in packages.iterdir() if path.is_dir()]
    return sorted(sizes, reverse=True)[:SHOWN]


def show(name: str, total: float, parts: list[tuple[float, str]]) -> None:
    """Print MB of a layer and of its parts."""
    print(f"{total:7.1f} MB  {name}")
    for part, part_name in parts:
        print(f"        {part:7.1f} MB  {part_name}")


def main() -> int:
    """Return the exit code: 1 if the image is too large."""
    tool_parser("tools.release.image_size", __doc__).parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build = Build(folder / "layers", image_python())
        build.run()
        found = layers(build)
        for path, size in found.items():
            show(path, size, largest(build.folder / path.lstrip("/")))
        (folder / "root").mkdir()
        (folder / "scratch").mkdir()
        base = unpack_base(folder / "root", folder / "scratch")
    if base is None:
        base = {"at most; apt cannot fetch its packages here": MOST_BASE_MB}
    show(build.final.base, sum(base.values()), [(size, kind) for kind, size in base.items()])
    total = sum(found.values()) + sum(base.values())
    print(f"{total:7.1f} MB  in the whole image; at most {MOST_MB:g} MB")
    return int(total > MOST_MB)


if __name__ == "__main__":
    sys.exit(main())
