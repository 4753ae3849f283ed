"""The built image with its base image below it, as a root in which its programs run."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from tools.harness.image import Build

BASE_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt",
    "LANG": "C.UTF-8",
}
"""Of the base image. Sources: distroless' `static/static.bzl` and `python3/python.bzl`."""

_IN_ROOT = (
    'mount --rbind /dev "$0/dev" && mount --rbind /proc "$0/proc"'
    ' && exec chroot --groups= --userspec={user} "$0" "$@"'
)


def can_change_root() -> bool:
    """Whether this process may give a program another root, with mounts of its own."""
    programs = ("unshare", "chroot", "mount")
    if os.getuid() != 0 or not all(map(shutil.which, programs)):
        return False
    done = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
    return done.returncode == 0


def add_layers(build: Build, root: Path, python: str) -> None:
    """Copy the layers of a build over a base image, with the paths that they have in an image.

    Args:
        build: Has run.
        root: The base image's files.
        python: Path of the base image's interpreter.
    """
    for argument in build.final.all("COPY"):
        path = argument.split()[-1].lstrip("/")
        shutil.copytree(build.folder / path, root / path, symlinks=True)
    here = f"{build.folder}/".encode()
    for script in (root / "opt/streamer/bin").iterdir():
        if not script.is_symlink():
            script.write_bytes(script.read_bytes().replace(here, b"/"))
    link = root / "opt/streamer/bin/python3"
    link.unlink()
    link.symlink_to(python)
    for other in ("python", f"{Path(python).name}"):
        (link.parent / other).unlink()
        (link.parent / other).symlink_to("python3")
    (root / "opt/streamer/pyvenv.cfg").write_text(f"home = {Path(python).parent}\n")


def command_in(root: Path, user: str) -> tuple[str, ...]:
    """The words before a command that runs it below this root, as a user (`UID:GID`)."""
    script = _IN_ROOT.format(user=shlex.quote(user))
    return ("unshare", "--mount", "sh", "-c", script, str(root))


def environment_of(build: Build) -> dict[str, str]:
    """What a container of the image starts with."""
    own = build.final.environment
    path = own["PATH"].replace("$PATH", BASE_ENVIRONMENT["PATH"])
    return {**BASE_ENVIRONMENT, **own, "PATH": path}
