"""The base image, unpacked from the same packages of Debian's archive.

`gcr.io/distroless/python3-debian13` is a number of Debian's packages, unpacked one over the other;
none of their scripts runs. So its files are counted without the registry of images, wherever apt
reaches the archive of Debian 13. Versions are the archive's newest; the image may be some days
behind.
Sources: distroless' `static/config.bzl`, `base/config.bzl`, `cc/config.bzl`, `python3/config.bzl`.
"""

import os
import shutil
import subprocess
from pathlib import Path

PYTHON = "3.13"
"""The version in the base image."""

RELEASE = "trixie"

MOST_MB = 62.0
"""MB that the base image may have; counted where the archive is reached."""

SYSTEM = (
    *("base-files", "netbase", "tzdata", "tzdata-legacy", "media-types", "ca-certificates"),
    *("libc6", "libssl3t64", "libzstd1", "zlib1g"),
    *("libgomp1", "libstdc++6", "libgcc-s1", "gcc-14-base"),
)
"""What the images for C and C++ have; base-files first, which makes /bin a link to /usr/bin."""

INTERPRETER = (
    *("libbz2-1.0", "libdb5.3t64", "libexpat1", "liblzma5", "libsqlite3-0", "libuuid1"),
    *("libncursesw6", "libtinfo6", "libcom-err2", "libcrypt1", "libc-bin", "libgssapi-krb5-2"),
    *("libk5crypto3", "libkeyutils1", "libkrb5-3", "libkrb5support0", "libnsl2"),
    *("libreadline8t64", "libtirpc3t64", "libffi8", "libpython3.13-minimal"),
    *("libpython3.13-stdlib", "python3.13-minimal", "python3.13-venv"),
)
"""What the image for Python adds."""

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SOURCES = f"""\
deb [signed-by={KEYRING}] http://deb.debian.org/debian {RELEASE} main
deb [signed-by={KEYRING}] http://deb.debian.org/debian {RELEASE}-updates main
deb [signed-by={KEYRING}] http://deb.debian.org/debian-security {RELEASE}-security main
"""


def size_mb(folder: Path) -> float:
    """MB of the files in a folder; a link counts as itself."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if is_file(path)) / 1e6


def is_file(path: Path) -> bool:
    """Whether it is a file, or a link to anything."""
    return path.is_symlink() or not path.is_dir()


def unpack_base(root: Path, scratch: Path) -> dict[str, float] | None:
    """Make the files of the base image.

    Args:
        root: The image's root, an empty folder.
        scratch: For what is downloaded, about 70 MB; an empty folder.

    Returns:
        MB of the system and of Python; None = apt does not reach the archive of Debian 13.
    """
    if shutil.which("apt-get") is None or not KEYRING.exists():
        return None
    try:
        system, interpreter = (_download(names, scratch) for names in (SYSTEM, INTERPRETER))
    except subprocess.CalledProcessError:
        return None
    _unpack(system, root)
    _bundle_certificates(root)
    (root / "tmp").mkdir(exist_ok=True)
    (root / "tmp").chmod(0o1777)
    system_mb = size_mb(root)
    _unpack(interpreter, root)
    for name in ("python", "python3"):
        (root / "usr/bin" / name).symlink_to(f"/usr/bin/python{PYTHON}")
    return {f"Debian ({RELEASE})": system_mb, f"Python {PYTHON}": size_mb(root) - system_mb}


def _download(names: tuple[str, ...], scratch: Path) -> list[Path]:
    """The packages as files, in the order of their names.

    Raises:
        CalledProcessError: apt could not fetch one of them.
    """
    folder = scratch / "packages"
    if not folder.exists():
        for path in (folder, scratch / "lists/partial", scratch / "archives/partial"):
            path.mkdir(parents=True)
        (scratch / "sources.list").write_text(SOURCES)
        (scratch / "status").touch()
        _apt(scratch, "update")
    _apt(scratch, "download", *names)
    return [next(folder.glob(f"{name}_*.deb")) for name in names]


def _apt(scratch: Path, *arguments: str) -> None:
    """Run apt-get with lists and sources of its own, so that this machine's stay as they are."""
    options = {
        "Dir::State::lists": scratch / "lists",
        "Dir::State::status": scratch / "status",
        "Dir::Cache": scratch,
        "Dir::Etc::sourcelist": scratch / "sources.list",
        "Dir::Etc::sourceparts": os.devnull,
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "",
        "APT::Update::Error-Mode": "any",
    }
    command = ["apt-get", "-q", *(f"-o{name}={value}" for name, value in options.items())]
    subprocess.run(
        [*command, *arguments], cwd=scratch / "packages", capture_output=True, check=True
    )


def _unpack(packages: list[Path], root: Path) -> None:
    """Unpack packages, and what the image keeps of their control files."""
    for package in packages:
        subprocess.run(["dpkg-deb", "--extract", package, root], check=True)
        known = root / "var/lib/dpkg/status.d" / package.name.partition("_")[0]
        subprocess.run(["dpkg-deb", "--control", package, root / "control"], check=True)
        known.parent.mkdir(parents=True, exist_ok=True)
        (root / "control/control").rename(known)
        if (root / "control/md5sums").exists():
            (root / "control/md5sums").rename(known.with_name(f"{known.name}.md5sums"))
        shutil.rmtree(root / "control")


def _bundle_certificates(root: Path) -> None:
    """Of the package of certificates, the image has only all of them in one file."""
    folder = root / "usr/share/ca-certificates"
    bundle = b"".join(path.read_bytes() for path in sorted(folder.rglob("*.crt")))
    shutil.rmtree(folder)
    (root / "usr/sbin/update-ca-certificates").unlink()
    target = root / "etc/ssl/certs/ca-certificates.crt"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(bundle)
