"""The base image, from its packages. `tests/operations/test_image.py` runs the image on it."""

from pathlib import Path

import pytest

from tools.release import base_image
from tools.release.base_image import INTERPRETER, SYSTEM, size_mb, unpack_base


def test_the_size_is_that_of_files_and_a_link_counts_as_itself(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/data").write_bytes(bytes(2_000_000))
    assert size_mb(tmp_path) == 2
    (tmp_path / "link").symlink_to("lib")
    (tmp_path / "dangling").symlink_to("nowhere")
    assert size_mb(tmp_path) == pytest.approx(2 + 10e-6)


def test_the_links_to_usr_come_before_what_lies_below_them() -> None:
    assert SYSTEM[0] == "base-files"
    packages = SYSTEM + INTERPRETER
    assert len(set(packages)) == len(packages)


def test_without_apt_there_is_no_base_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert unpack_base(tmp_path, tmp_path) is None
    assert not list(tmp_path.iterdir())


def test_without_the_archive_there_is_no_base_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is a part of it left that could be taken for the whole."""
    root, scratch = tmp_path / "root", tmp_path / "scratch"
    root.mkdir()
    scratch.mkdir()
    monkeypatch.setattr(base_image, "SOURCES", "deb http://127.0.0.1:9/debian trixie main\n")
    assert unpack_base(root, scratch) is None
    assert not list(root.iterdir())
