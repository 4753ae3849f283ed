"""The documentation says what the code does."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import msgspec
import onnx
import pytest

from streamer.config.limits import LimitsConfig
from streamer.config.schema import Config
from streamer.config.segmentation import VadConfig
from streamer.config.sources import load_config
from streamer.config.variables import misnamed
from streamer.protocol import codes
from streamer.protocol.events import Event
from streamer.protocol.requests import Start, decode_request
from streamer.weights.manifest_schema import ClassifierSettings
from tools.docs import options, pages, settings
from tools.soak.markdown import tables

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    ROOT / "models/README.md",
    ROOT / "streamer/web/streamer-client/README.md",
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / "docs/book").glob("*.md"),
]
EXAMPLES = ROOT / "docs/examples"
MOST_LINES_OF_README = 60
PAGES_WITH_THE_EXAMPLE = [
    ROOT / "docs" / name for name in ("quickstart.md", "installing.md", "your-own-model.md")
]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)(?: \"[^\"]*\")?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_architecture_names_files_that_exist() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    named = set(re.findall(r"`([a-z_]+/[a-z_/.]+)`", page))
    assert len(named) > 40
    roots = (ROOT, ROOT / "streamer")
    assert [name for name in named if not any((root / name).exists() for root in roots)] == []


def test_architecture_describes_every_package() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    packages = {path.parent.name for path in (ROOT / "streamer").glob("*/__init__.py")}
    assert packages - set(re.findall(r"\*\*`([a-z]+)/`\*\*", page)) == set()


def test_what_happens_at_each_limit_is_said() -> None:
    page = (ROOT / "docs/reliability.md").read_text()
    assert [name for name in LimitsConfig.__struct_fields__ if f"`{name}`" not in page] == []


def test_the_numbers_of_reliability_are_those_of_a_soak() -> None:
    page = (ROOT / "docs/reliability.md").read_text()
    measured = tables(ROOT / "docs/reliability/soak.json")
    assert [name for name, table in measured.items() if table not in page] == []


def anchors(page: Path) -> set[str]:
    """What GitHub makes of the headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_headings(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*\.md)?#([^)]+)\)", page.read_text())
    assert [
        (path, name)
        for path, name in links
        if name not in anchors(page.parent / path if path else page)
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_who_is_meant(page: Path) -> None:
    text = re.sub(r"\(commits? [^)]*\)", "", page.read_text())  # their subjects are as they are
    unnamed = r"\b(?:who|some|no|any|every)(?:body|ever)\b|\b(?:every|some|any)one\b"
    assert re.findall(unnamed, text, re.IGNORECASE) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_that_names_the_affect_model_states_its_licence(page: Path) -> None:
    text = page.read_text()
    if "wav2small" in text:
        assert "CC BY-NC-SA 4.0" in text
        assert "perceive" in text


def test_every_python_block_is_a_file_that_runs() -> None:
    known = {path.read_text() for path in EXAMPLES.rglob("*.py")}
    shown = [block for page in PAGES for block in blocks(page, "python")]
    assert shown
    assert [block for block in shown if block not in known] == []


def test_every_page_in_html_is_an_example() -> None:
    known = {path.read_text() for path in EXAMPLES.rglob("*.html")}
    shown = [block for page in PAGES for block in blocks(page, "html")]
    assert shown
    assert [block for block in shown if block not in known] == []


def test_the_model_example_is_configured_as_shown() -> None:
    configured = json.loads((EXAMPLES / "loudness/config.json").read_text())
    for page in PAGES_WITH_THE_EXAMPLE:
        assert configured in [json.loads(block) for block in blocks(page, "json")]


def test_every_json_block_of_the_guide_is_a_file_of_an_example() -> None:
    known = [json.loads(path.read_text()) for path in EXAMPLES.rglob("*.json")]
    shown = [json.loads(block) for block in blocks(ROOT / "docs/your-own-model.md", "json")]
    assert [block for block in shown if block not in known] == []
    assert len(shown) == len(known)


def test_every_setting_of_a_classifier_is_in_the_guide_with_its_default() -> None:
    text = (ROOT / "docs/your-own-model.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|", text, re.MULTILINE))
    defaults = {
        field.encode_name: field.default
        for field in msgspec.structs.fields(ClassifierSettings)
        if not field.required
    }
    assert rows.keys() - {"scores"} == defaults.keys()
    in_words = {"output", "hop_seconds"}
    for name in defaults.keys() - in_words:
        shown = rows[name].strip().strip("`")
        default = defaults[name]
        assert (shown if isinstance(default, str) else json.loads(shown)) == default


def commands(page: Path) -> list[str]:
    return [
        line.removeprefix("$ ") for block in blocks(page, "console") for line in block.splitlines()
    ]


CHECKS = [
    command
    for command in commands(ROOT / "docs/your-own-model.md")
    if command.startswith(".venv/bin/streamer models check")
]


@pytest.mark.parametrize("command", CHECKS, ids=lambda command: command.split("/")[-1])
def test_every_example_is_found_to_be_right(command: str) -> None:
    arguments = command.split()[1:]
    run = subprocess.run(
        [sys.executable, "-m", "streamer", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.endswith("\nnothing is wrong with it\n")


def test_a_copy_of_an_example_is_checked_as_shown(tmp_path: Path) -> None:
    copying = re.search(
        r"^cp -r (docs/examples/\S+) (\S+)\n\.venv/bin/streamer (models check) \2$",
        (ROOT / "docs/your-own-model.md").read_text(),
        re.MULTILINE,
    )
    assert copying is not None
    shutil.copytree(ROOT / copying[1], tmp_path / copying[2])
    run = subprocess.run(
        [sys.executable, "-m", "streamer", *copying[3].split(), copying[2]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (run.returncode, run.stderr) == (0, "")


def test_the_examples_file_is_what_its_script_writes(tmp_path: Path) -> None:
    script = ROOT / "docs/examples/bands/make_model.py"
    assert f".venv/bin/python {script.relative_to(ROOT)}" in commands(
        ROOT / "docs/your-own-model.md"
    )
    copy = tmp_path / script.name
    copy.write_text(script.read_text())
    subprocess.run([sys.executable, str(copy)], check=True, timeout=60)
    made, shipped = (onnx.load(folder / "model.onnx") for folder in (tmp_path, script.parent))
    assert made.graph == shipped.graph
    assert (script.parent / "model.onnx").stat().st_size < 10_000


def test_every_make_target_shown_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = {name for page in PAGES for name in re.findall(r"`make ([a-z-]+)`", page.read_text())}
    assert shown
    assert shown <= targets


def test_make_says_what_takes_its_time_before_it_begins(tmp_path: Path) -> None:
    """With programs that do nothing, in an empty folder."""
    made = ("requirements/image.lock", "pyproject.toml", ".venv/bin/python", ".venv/bin/streamer")
    for name in made:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    # `make test` tells each make below it, by such variables, that it is one of several.
    named = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    outermost = {name: value for name, value in os.environ.items() if name not in named}
    run = subprocess.run(
        ["make", "install-run", "PYTHON=true"],
        cwd=tmp_path, env=outermost, check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    lines = run.stdout.splitlines()
    assert "installing packages (pip prints little" in lines[0]
    weights = lines.index("Downloading the weights of the models ...")
    assert "models fetch" in lines[weights + 1]


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        ("README.md", "does not tell speakers apart"),
        ("docs/quickstart.md", "does not use a GPU"),
        ("docs/quickstart.md", "On Windows, use WSL or"),
        ("docs/quickstart.md", "64-bit ARM"),
        ("docs/quickstart.md", "**To update:** `git pull`"),
        ("docs/quickstart.md", "(python.md#install)"),
        ("docs/quickstart.md", "`make run` takes longer: it downloads packages and weights"),
        ("docs/python.md", "pip install PATH/OF/THE/REPOSITORY"),
        ("docs/python.md", "To update, run `git pull`"),
        ("docs/quickstart.md", "the client has no `--port`, because `-a` takes the whole address"),
        ("docs/your-own-model.md", "Other programs call them labels or classes"),
        ("docs/your-own-model.md", "the name of the file without `.py`, a colon, and the name"),
        ("docs/your-own-model.md", "The server reads all files when it starts"),
        ("docs/browser.md", "Change the path after `from`"),
        ("docs/browser.md", "A page over `https` can only connect to a server over `https`"),
        ("streamer/web/streamer-client/README.md", "the reason arrives twice"),
    ],
)
def test_what_people_ask_first_is_answered(page: str, sentence: str) -> None:
    assert sentence in " ".join((ROOT / page).read_text().split())


@pytest.mark.parametrize("page", pages.WRITTEN, ids=lambda page: page.name)
def test_what_comes_from_the_code_is_as_the_code_has_it(page: Path) -> None:
    text = page.read_text()
    assert pages.WRITTEN[page](text) == text, "make docs writes it anew"


def test_every_section_and_every_command_has_a_table() -> None:
    page = pages.CONFIGURATION.read_text()
    assert settings.sections_of(page) == [*settings.defaults()]
    assert all(f"<!-- settings: {name} -->" in page for name in settings.NESTED)
    assert options.commands_of(pages.COMMAND_LINE.read_text()) == [*options.parsers()]


def test_the_variables_of_the_configuration_page_are_those_that_the_server_reads() -> None:
    (shown,) = blocks(pages.CONFIGURATION, "sh")
    given = [line for line in shown.splitlines() if not line.startswith("#")]
    environment = dict(shlex.split(line)[0].split("=", 1) for line in given)
    assert load_config(None, environment, {}) == Config()
    assert list(misnamed(environment)) == []
    changed = load_config(None, environment | {"STREAMER_SERVER__PORT": "9"}, {})
    assert changed.server.port == 9


def test_a_setting_without_a_text_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "docstrings", lambda _: {"chunk": "Seconds."})
    with pytest.raises(settings.UndocumentedError, match=r"simple\.chunk_seconds has no docstring"):
        settings.table("simple")


def test_protocol_page_lists_every_event_and_request() -> None:
    text = (ROOT / "docs/protocol.md").read_text()
    events = {kind.__struct_config__.tag for kind in get_args(Event)}
    errors = set(get_args(codes.ErrorCode))
    assert {name for name in events | errors if f"`{name}`" not in text} == set()
    start = next(json.loads(b) for b in blocks(ROOT / "docs/protocol.md", "json"))
    request = decode_request(json.dumps(start), max_channels=8)
    assert isinstance(request, Start)
    assert request.vad.over(VadConfig()) == VadConfig()


def test_the_quick_start_lists_every_event() -> None:
    section = (ROOT / "docs/quickstart.md").read_text().split("## What comes back")[1]
    listed = re.findall(r"^\| `(\w+)` \|", section.split("\n## ")[0], re.MULTILINE)
    assert {*listed} == {kind.__struct_config__.tag for kind in get_args(Event)}


def test_the_wrong_setting_is_answered_as_shown() -> None:
    (shown,) = blocks(ROOT / "docs/configuration.md", "console")
    environment = {**os.environ, "STREAMER_VAD__THRESHOLD": "2"}
    command = [sys.executable, "-m", "streamer"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 2
    assert run.stderr in shown


def test_every_page_leads_back_to_the_index_which_has_them_all() -> None:
    index = ROOT / "docs/README.md"
    assert "(../README.md)" in index.read_text().split("\n")[2]
    listed = {
        (index.parent / link).resolve()
        for link in re.findall(r"\]\((?!https?:)([^)#]+\.md)", index.read_text())
    }
    pages = {page.resolve() for page in PAGES} - {index, ROOT / "README.md"}
    assert listed - {ROOT / "README.md"} == pages
    for page in pages:
        back = re.search(r"\[← Documentation\]\(([^)]+)\)", page.read_text().split("\n")[2])
        assert back, f"{page} does not lead back"
        assert (page.parent / back[1]).resolve() == index


def test_the_pause_in_the_readme_is_the_default() -> None:
    pause = VadConfig().min_silence_ms
    for page in ("README.md", "docs/quickstart.md"):
        assert f"of which {pause} ms are the pause" in (ROOT / page).read_text()


def test_the_readme_fits_on_one_screen() -> None:
    text = re.sub(r' "(figure|claim) [^"]*"', "", (ROOT / "README.md").read_text())
    lines = text.splitlines()
    assert len(lines) <= MOST_LINES_OF_README
    assert max(map(len, lines)) <= 160
