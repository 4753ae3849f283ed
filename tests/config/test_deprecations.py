"""Old names of settings, of fields and of options work on, and each is named to who uses it."""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.cli.command_line import CommandLine
from streamer.config import deprecations
from streamer.config.deprecations import (
    FIELDS,
    OPTIONS,
    SETTINGS,
    BothNames,
    Deprecation,
    with_current_names,
)
from streamer.config.explain import fields_of
from streamer.config.schema import Config
from streamer.config.sources import SettingsError, load_config
from streamer.protocol.requests import BadRequest, Configure, Start, decode_request, request_of
from streamer.version import installed_version

ROOT = Path(__file__).parents[2]

SILENCE = Deprecation("vad.silence_ms", "vad.min_silence_ms", "0.3", "0.5")
THREADS = Deprecation("pool", "inference", "0.3", "0.5")
MOVED = Deprecation("server.loud", "telemetry.log_format", "0.4", "1.0")
GOING = Deprecation("vad.threshold", None, "0.4", "1.0")
PATH = Deprecation("model.folder", "model.path", "0.3", "0.5")
OWN = (SILENCE, THREADS, MOVED, GOING, PATH)
SAID = (
    "'vad.silence_ms' is deprecated since 0.3, and will be removed in 0.5; use 'vad.min_silence_ms'"
)


@pytest.fixture(autouse=True)
def _own_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries of these tests, in the place of the real ones."""
    monkeypatch.setattr(deprecations, "SETTINGS", OWN)
    monkeypatch.setattr(deprecations, "FIELDS", OWN)


def load(
    folder: Path,
    file: object = None,
    environment: dict[str, str] | None = None,
    overrides: dict[tuple[str, str], object] | None = None,
) -> tuple[Config, list[str]]:
    """The configuration, and the lines about old names."""
    path = folder / "config.json"
    path.write_text(json.dumps(file if file is not None else {}))
    lines: list[str] = []
    return load_config(path, environment or {}, overrides or {}, lines.append), lines


# --- The configuration ---


def test_an_old_name_in_each_source_works_and_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    config, lines = load(tmp_path, {"vad": {"silence_ms": 400}})
    assert config.vad.min_silence_ms == 400
    assert lines == [f"{file}: {SAID}"]
    config, lines = load(tmp_path, {}, {"STREAMER_VAD__SILENCE_MS": "300"})
    assert config.vad.min_silence_ms == 300
    assert lines == [f"STREAMER_VAD__SILENCE_MS: {SAID}"]
    config, lines = load(tmp_path, {}, {}, {("server", "loud"): "json"})
    assert config.telemetry.log_format == "json"
    assert lines == [
        "--loud: 'server.loud' is deprecated since 0.4, and will be removed in 1.0; use "
        "'telemetry.log_format'"
    ]


def test_an_old_name_in_several_sources_is_still_one_line_and_the_last_source_wins(
    tmp_path: Path,
) -> None:
    old = {"vad": {"silence_ms": 400}}
    config, lines = load(tmp_path, old, {"STREAMER_VAD__SILENCE_MS": "300"})
    assert config.vad.min_silence_ms == 300
    assert lines == [f"{tmp_path / 'config.json'}, STREAMER_VAD__SILENCE_MS: {SAID}"]
    config, _ = load(tmp_path, old, {"STREAMER_VAD__MIN_SILENCE_MS": "200"})
    assert config.vad.min_silence_ms == 200
    new = {"vad": {"min_silence_ms": 400}}
    config, _ = load(tmp_path, new, {"STREAMER_VAD__SILENCE_MS": "300"})
    assert config.vad.min_silence_ms == 300


def test_an_error_names_no_old_name_of_another_source(tmp_path: Path) -> None:
    old = {"vad": {"silence_ms": 400}}
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, old, {"STREAMER_VAD__MIN_SILENCE_MS": "x"})
    assert "'vad.min_silence_ms' is \"x\"" in str(caught.value)
    assert "it is given as" not in str(caught.value)


def test_a_parent_that_is_null_takes_the_value() -> None:
    tree = {"silence_ms": 400, "vad": None}
    moved = Deprecation("silence_ms", "vad.min_silence_ms", "0.3", "0.5")
    noted: list[Deprecation] = []
    assert with_current_names(tree, [moved], noted.append) == {"vad": {"min_silence_ms": 400}}
    assert noted == [moved]


def test_a_current_name_is_no_line(tmp_path: Path) -> None:
    assert load(tmp_path, {"vad": {"min_silence_ms": 400}})[1] == []
    assert load(tmp_path, {}, {"STREAMER_VAD__MIN_SILENCE_MS": "400"})[1] == []


def test_a_section_may_be_renamed(tmp_path: Path) -> None:
    config, lines = load(tmp_path, {"pool": {"workers": 3}})
    assert config.inference.workers == 3
    assert len(lines) == 1
    config, lines = load(tmp_path, {}, {"STREAMER_POOL__WORKERS": "2"})
    assert config.inference.workers == 2
    assert len(lines) == 1


def test_a_setting_without_successor_works_on(tmp_path: Path) -> None:
    config, (line,) = load(tmp_path, {"vad": {"threshold": 0.7}})
    assert config.vad.threshold == 0.7
    assert line.endswith("and will be removed in 1.0; nothing takes its place")


def test_each_of_several_models_may_have_an_old_name(tmp_path: Path) -> None:
    models = [{"type": "frames", "folder": "a"}, {"type": "standin", "folder": "b"}, {}]
    config, lines = load(tmp_path, {"models": models})
    assert [model.path for model in config.served] == ["a", "b", None]
    assert len(lines) == 1


@pytest.mark.parametrize(
    ("file", "environment", "says"),
    [
        (
            {"vad": {"silence_ms": 1, "min_silence_ms": 2}},
            {},
            "'vad.silence_ms' is the old name of 'vad.min_silence_ms', and both are given; "
            "allowed: 'vad.min_silence_ms' alone",
        ),
        (
            {},
            {"STREAMER_VAD__SILENCE_MS": "1", "STREAMER_VAD__MIN_SILENCE_MS": "2"},
            "STREAMER_VAD__SILENCE_MS, STREAMER_VAD__MIN_SILENCE_MS: one of the two is an old name "
            "of 'vad.min_silence_ms'; allowed: one of the two",
        ),
        ({"vad": {"silence_ms": "x"}}, {}, "; it is given as 'vad.silence_ms'"),
        ({"pool": {"workers": -1}}, {}, "'inference.workers' is -1; allowed: "),
        ({"pool": {"workers": -1}}, {}, "; it is given as 'pool'"),
        ({"vad": 3}, {}, "'vad' is 3"),
        (
            {"models": [{"type": "frames", "folder": 3}]},
            {},
            "; it is given as 'model.folder'",
        ),
        ({"models": ["x"]}, {}, "'models[0]' is \"x\""),
    ],
)
def test_what_is_wrong_is_said_with_the_name_that_was_given(
    tmp_path: Path, file: object, environment: dict[str, str], says: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, file, environment)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_server_warns_once_at_its_start(tmp_path: Path) -> None:
    """A process of its own: it ends because there are no weights, after the log is set up."""
    (tmp_path / "config.json").write_text('{"vad": {"silence_ms": 400}}')
    code = (
        "import sys; from streamer.config import deprecations; from streamer.__main__ import main; "
        f"deprecations.SETTINGS = (deprecations.Deprecation{tuple(SILENCE)},); "
        "sys.argv = ['streamer', '--config', 'config.json']; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'client'}", "STREAMER_MODELS": str(tmp_path / "none")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if "deprecated" in line]
    logged = json.loads(line)
    assert (logged["level"], logged["message"]) == ("warning", f"config.json: {SAID}")


# --- Clients' messages ---


def test_an_old_name_in_a_message_works_and_is_reported() -> None:
    noted: list[Deprecation] = []
    text = '{"request": "start", "format": {"sample_rate": 16000}, "vad": {"silence_ms": 400}}'
    request = decode_request(text, max_channels=8, on_deprecated=noted.append)
    assert isinstance(request, Start)
    assert request.vad.min_silence_ms == 400
    assert noted == [SILENCE]
    request = decode_request('{"request": "configure", "vad": {"silence_ms": 90}}', max_channels=8)
    assert isinstance(request, Configure)
    assert request.vad is not None
    assert request.vad.min_silence_ms == 90


def test_a_message_with_an_old_name_that_is_refused_reports_nothing() -> None:
    noted: list[Deprecation] = []
    tree: dict[str, object] = {"request": "configure", "vad": {"silence_ms": "x"}}
    with pytest.raises(BadRequest, match=r"it is given as 'vad.silence_ms'$"):
        request_of(tree, max_channels=8, on_deprecated=noted.append)
    tree = {"request": "configure", "vad": {"silence_ms": 1, "min_silence_ms": 1}}
    with pytest.raises(BadRequest, match="both are given") as caught:
        request_of(tree, max_channels=8, on_deprecated=noted.append)
    assert caught.value.code == "bad_message"
    assert noted == []


# --- Options ---


def parser() -> CommandLine:
    made = CommandLine(prog="play")
    made.add_argument("--loudness", type=int, default=0)
    made.add_argument("--name")
    commands = made.add_subparsers(metavar="COMMAND")
    commands.add_parser("now").add_argument("--new")
    return made


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> None:
    old = Deprecation("play --volume", "play --loudness", "0.3", "0.5")
    of_command = Deprecation("play now --old", "play now --new", "0.3", "0.5")
    monkeypatch.setattr(deprecations, "OPTIONS", (old, of_command))


@pytest.mark.usefixtures("options")
@pytest.mark.parametrize("given", [["--volume", "3"], ["--volume=3"], ["--volume=1", "--volume=3"]])
def test_an_old_option_works_and_is_one_line(
    given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert parser().parse_args(given).loudness == 3
    assert capsys.readouterr().err == (
        "play: 'play --volume' is deprecated since 0.3, and will be removed in 0.5; use "
        "'play --loudness'\n"
    )


@pytest.mark.usefixtures("options")
def test_an_old_option_of_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    found: argparse.Namespace = parser().parse_args(["--loudness", "2", "now", "--old=x"])
    assert (found.loudness, found.new) == (2, "x")
    assert capsys.readouterr().err.startswith("play now: 'play now --old' is deprecated")


# --- Trees ---

NAMES = st.sampled_from("abc")
TREES = st.recursive(
    st.integers(), lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
).filter(lambda tree: isinstance(tree, dict))
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(".".join)


def leaves(tree: object) -> list[int]:
    if isinstance(tree, dict):
        return sorted(leaf for inner in tree.values() for leaf in leaves(inner))
    assert isinstance(tree, int)
    return [tree]


@given(TREES, PATHS)
def test_a_rename_loses_no_value_and_leaves_the_given_tree(
    tree: dict[str, object], old: str
) -> None:
    before = json.dumps(tree)
    noted: list[Deprecation] = []
    renamed = with_current_names(tree, [Deprecation(old, "new.name", "1.0", "2.0")], noted.append)
    assert json.dumps(tree) == before
    assert leaves(renamed) == leaves(tree)
    inner: object = tree
    for name in old.split("."):
        inner = inner.get(name) if isinstance(inner, dict) else None
    assert bool(noted) == (inner is not None)
    if inner is not None:
        new = renamed["new"]
        assert isinstance(new, dict)
        assert new["name"] == inner
    else:
        assert renamed is tree


def test_both_names_name_the_entry() -> None:
    with pytest.raises(BothNames) as caught:
        with_current_names({"a": 1, "b": 2}, [Deprecation("a", "b", "1.0", "2.0")], print)
    assert caught.value.deprecation.old == "a"


# --- The real entries ---


def version(text: str) -> tuple[int, int]:
    found = re.match(r"(\d+)(?:\.(\d+))?", text)
    assert found is not None, text
    return int(found[1]), int(found[2] or 0)


def broken_rules(entry: Deprecation, now: str) -> list[str]:
    """What of `docs/releases.md` an entry does not keep."""
    since, removed_in = version(entry.since), version(entry.removed_in)
    broken = []
    if removed_in[0] == since[0] and (since[0] > 0 or removed_in[1] < since[1] + 2):
        broken.append("no MAJOR release, or before 1.0 no further MINOR release in between")
    if removed_in <= version(now):
        broken.append("overdue")
    return broken


@pytest.mark.parametrize(
    ("since", "removed_in", "now", "count"),
    [
        ("0.3", "0.5", "0.4.1", 0),
        ("0.3", "0.4", "0.3.0", 1),
        ("0.9", "1.0", "0.9.0", 0),
        ("1.2", "1.4", "1.3.0", 1),
        ("1.2", "2.0", "1.9.0", 0),
        ("1.2", "2.0", "2.0.0", 1),
        ("0.3", "0.5", "0.5.0.dev3+gabc", 1),
    ],
)
def test_the_rules_of_an_entry(since: str, removed_in: str, now: str, count: int) -> None:
    assert len(broken_rules(Deprecation("a", "b", since, removed_in), now)) == count


def test_every_real_entry_keeps_the_rules() -> None:
    for entry in (*SETTINGS, *FIELDS, *OPTIONS):
        assert broken_rules(entry, installed_version()) == [], entry
    for entries, root in ((SETTINGS, Config), (FIELDS, Start)):
        for entry in entries:
            current = entry.new or entry.old
            section, _, name = current.rpartition(".")
            assert name in fields_of(section, root), entry
            if entry.new:
                section, _, name = entry.old.rpartition(".")
                assert name not in fields_of(section, root), entry
