"""The estimate of the base image."""

import sys
from pathlib import Path

import pytest

from tools.release.base_image import LEFT_OUT, base_mb, stripped_bytes, with_dependencies

INSTALLED = {
    "shell": (True, ["libc6 (>= 2.36)", "missing | awk"]),
    "awk": (False, ["mawk"]),  # a name that mawk provides
    "mawk": (False, ["libc6:any"]),
    "libc6": (False, []),
    "other": (False, ["shell"]),
}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["shell"], {"shell", "libc6", "awk", "mawk"}),
        (["mawk"], {"mawk", "libc6"}),
        (["not-here"], set()),
    ],
)
def test_packages_come_with_what_they_depend_on(names: list[str], expected: set[str]) -> None:
    assert with_dependencies(names, INSTALLED) == expected


def test_what_strip_would_remove_is_not_counted(tmp_path: Path) -> None:
    program = Path(sys.executable).resolve()
    found = stripped_bytes(program)
    assert 0 < found <= program.stat().st_size
    longer = tmp_path / "longer"
    longer.write_bytes(program.read_bytes() + bytes(10_000))
    assert stripped_bytes(longer) == found
    text = tmp_path / "text"
    text.write_bytes(b"x" * 5_000)
    assert stripped_bytes(text) == 5_000


@pytest.mark.parametrize(
    ("path", "is_left_out"),
    [
        ("/usr/share/doc/bash/README", True),
        ("/usr/share/doc/bash/copyright", False),
        ("/usr/share/locale/de/LC_MESSAGES/bash.mo", True),
        ("/usr/share/zoneinfo/UTC", False),
    ],
)
def test_a_slim_image_has_no_manuals(path: str, is_left_out: bool) -> None:
    assert (LEFT_OUT.match(path) is not None) is is_left_out


def test_debian_and_python_are_counted_where_this_is_debian_12() -> None:
    found = base_mb()
    release = Path("/etc/os-release")
    is_debian_12 = release.exists() and "VERSION_CODENAME=bookworm" in release.read_text()
    assert (found is not None) is is_debian_12
    if found is None:
        return
    assert 50 < found["Debian"] < 150
    assert 20 < found["Python"] < 80
