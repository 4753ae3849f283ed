"""What is wrong with a file: the file, the reason and the remedy, and no error number."""

import errno
import os
from pathlib import Path
from typing import Literal

import pytest

from streamer.config.file_problems import file_problem


def problem_of_reading(path: Path) -> str:
    try:
        path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        return file_problem(path, error)
    raise AssertionError("it can be read")


def test_what_is_wrong_with_real_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("a")
    Path("bytes").write_bytes(b"a\xff")
    Path("loop").symlink_to("loop")
    assert (
        problem_of_reading(Path("no.txt")) == f"no.txt does not exist in {tmp_path}; check its name"
    )
    assert problem_of_reading(tmp_path / "no") == f"{tmp_path}/no does not exist; check its name"
    assert problem_of_reading(tmp_path) == f"{tmp_path} is a directory; give a file"
    assert problem_of_reading(Path("bytes")) == (
        "bytes is not text in UTF-8 (byte 1); save it as UTF-8"
    )
    assert "text/a: Not a directory; a part of the path is a file" in (
        problem_of_reading(Path("text/a"))
    )
    assert "a link in the path leads to itself" in problem_of_reading(Path("loop"))
    assert "give a shorter name" in problem_of_reading(Path("a" * 999))
    assert "null" in problem_of_reading(Path("a\0b"))


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("ALARM.WAV", "did you mean alarm.wav?"),
        ("alarm", "did you mean alarm.wav?"),
        ("alarm.mp3", "did you mean alarm.wav?"),
        ("alrm.wav", "did you mean alarm.wav?"),
        ("'alarm.wav'", "did you mean alarm.wav?"),
        ('"sounds/bell.wav"', "did you mean sounds/bell.wav?"),
        ("sounds/Bell.wav", "did you mean sounds/bell.wav?"),
        ("sounds/alarm.wav", "in FOLDER; check its name"),
        ("whistle.wav", "in FOLDER; check its name"),
        ("*.mp3", "no file matches *.mp3 in FOLDER"),
        ("sounds/[x]?.wav", "no file matches sounds/[x]?.wav in FOLDER"),
        ("~/alarm.wav", "a shell replaces ~ only outside of quotes"),
        ("ws://localhost:8080/api", "ws:/localhost:8080/api is an address, not a file"),
        ("https://a.example/b.wav", "https:/a.example/b.wav is an address, not a file"),
    ],
)
def test_a_file_that_is_not_there_is_told_as_it_was_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sounds").mkdir()
    for name in ("alarm.wav", "notes.txt", "sounds/bell.wav"):
        Path(name).touch()
    problem = problem_of_reading(Path(named))
    assert says.replace("FOLDER", str(tmp_path)) in problem
    assert "\n" not in problem


@pytest.mark.parametrize("number", [n for n in errno.errorcode if n])
@pytest.mark.parametrize("use", ["read", "write", "use"])
def test_no_number_of_an_error_is_shown(number: int, use: Literal["read", "write", "use"]) -> None:
    shown = file_problem("/a/b.txt", OSError(number, os.strerror(number), "/a/b.txt"), use)
    assert "Errno" not in shown
    assert "/a" in shown
    assert "\n" not in shown
