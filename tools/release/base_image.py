"""What the base image takes, counted from the same packages and the same Python on this machine.

No step of the Dockerfile can say it without a container. The image is Debian 12 with the packages
that Debian needs, those that its Dockerfile adds, and a CPython that it compiles. On Debian 12 the
files of these packages are here; of Python those of the interpreter that runs this. The result is
an estimate: the image may have other versions, and a few files that programs made.
Sources: debuerreotype's `.slimify-excludes`, docker-library/python, `3.11/slim-bookworm`.
"""

import re
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

DEBIAN = "bookworm"
ADDED = (
    *("apt", "ca-certificates", "netbase", "tzdata"),
    *("libbz2-1.0", "libffi8", "liblzma5", "libncursesw6", "libreadline8", "libsqlite3-0"),
    *("libssl3", "libuuid1", "zlib1g"),
)
"""Packages beside the essential and required ones: what the image installs, and what its Python
is linked with."""

LEFT_OUT = re.compile(r"^/usr/share/(doc|info|groff|lintian|linda|locale|man)/(?!.*/copyright$)")
"""Files of packages that a slim image has not."""

NOT_INSTALLED = re.compile(r"/(test|tests|idle_test|site-packages|__pycache__)/|\.(a|o|pyc)$")
"""Files of a Python that the image removes or never has; its packages are counted apart."""

PYTHON_PACKAGES = ("pip", "setuptools")


def base_mb() -> dict[str, float] | None:
    """MB of Debian and of Python in the base image; None = this machine is not Debian 12."""
    try:
        release = Path("/etc/os-release").read_text()
        installed = _installed()
    except FileNotFoundError:
        return None
    if f"VERSION_CODENAME={DEBIAN}" not in release:
        return None
    return {"Debian": debian_bytes(installed) / 1e6, "Python": python_bytes() / 1e6}


def _installed() -> dict[str, tuple[bool, list[str]]]:
    """Each installed package: whether Debian needs it, and what it depends on."""
    shown = "${Package}\t${Essential} ${Priority}\t${Pre-Depends}, ${Depends}\t${Provides}\n"
    done = subprocess.run(
        ["dpkg-query", "--show", f"--showformat={shown}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, tuple[bool, list[str]]] = {}
    for line in done.stdout.splitlines():
        name, rank, needed, provided = line.split("\t")
        is_needed = rank.startswith("yes") or rank.endswith(" required")
        found[name] = (is_needed, [part.strip() for part in needed.split(",") if part.strip()])
        for other in filter(None, (part.split("(")[0].strip() for part in provided.split(","))):
            found.setdefault(other, (False, [name]))
    return found


def with_dependencies(
    names: Iterable[str], installed: dict[str, tuple[bool, list[str]]]
) -> set[str]:
    """Packages, and all that they depend on; of alternatives, the first one that is installed.

    Args:
        names: Of packages; those that are not installed are left out.
        installed: What each package depends on.
    """
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in installed and name not in found:
            found.add(name)
            for alternatives in installed[name][1]:
                choices = [re.split(r"[ (:]", one.strip())[0] for one in alternatives.split("|")]
                waiting += [one for one in choices if one in installed][:1]
    return found


def debian_bytes(installed: dict[str, tuple[bool, list[str]]]) -> int:
    """Bytes of the files of Debian's packages in the image, with what dpkg knows of them."""
    needed = [name for name, (is_needed, _) in installed.items() if is_needed]
    names = sorted(with_dependencies([*needed, *ADDED], installed))
    done = subprocess.run(
        ["dpkg-query", "--listfiles", *names], capture_output=True, text=True, check=False
    )  # a name that is only provided has no files, and is an error
    files = {Path(line) for line in done.stdout.splitlines() if not LEFT_OUT.match(line)}
    info = Path("/var/lib/dpkg/info")
    files |= {path for name in names for path in (*info.glob(f"{name}.*"), *info.glob(f"{name}:*"))}
    return sum(path.lstat().st_size for path in files if _is_file(path))


def _is_file(path: Path) -> bool:
    return path.is_symlink() or path.is_file()


def python_bytes() -> int:
    """Bytes of this Python as the image has it: stripped, without tests, with pip."""
    root = Path(sys.base_prefix)
    files = [path for path in _python_files(root) if not NOT_INSTALLED.search(str(path))]
    total = sum(stripped_bytes(path) for path in files)
    for name in PYTHON_PACKAGES:
        try:
            parts = distribution(name).files or []
        except PackageNotFoundError:
            continue
        paths = [Path(str(part.locate())) for part in parts if part.suffix != ".pyc"]
        total += sum(path.stat().st_size for path in paths if path.is_file())
    return total


def _python_files(root: Path) -> Iterator[Path]:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    yield root / "bin" / version
    yield from (path for path in root.glob(f"lib/lib{version}*.so*") if not path.is_symlink())
    for folder in (root / "lib" / version, root / "include" / version):
        yield from (path for path in folder.rglob("*") if path.is_file())


def stripped_bytes(path: Path) -> int:
    """Bytes of a file; of a program or library, up to the end of what is loaded.

    What follows there, symbols and debugging information, `strip` removes.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(64)
        if head[:6] != b"\x7fELF\x02\x01":  # 64 bits, little-endian
            return size
        (offset,) = struct.unpack_from("<Q", head, 32)
        entry_size, count = struct.unpack_from("<HH", head, 54)
        file.seek(offset)
        table = file.read(entry_size * count)
    ends = [
        sum(struct.unpack_from("<Q16xQ", table, at + 8)) for at in range(0, len(table), entry_size)
    ]
    return min(size, max(ends, default=size))
