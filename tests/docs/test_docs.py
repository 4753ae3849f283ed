"""The documentation says what the code does."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from streamer import messages
from streamer.config import Config, VadConfig

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "models/README.md", *(ROOT / "docs").glob("*.md")]
EXAMPLES = ROOT / "docs/examples"


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_python_block_is_a_file_that_runs() -> None:
    known = {path.read_text() for path in EXAMPLES.rglob("*.py")}
    shown = [block for page in PAGES for block in blocks(page, "python")]
    assert shown
    assert [block for block in shown if block not in known] == []


def test_the_model_example_is_configured_as_shown() -> None:
    configured = json.loads((EXAMPLES / "loudness/config.json").read_text())
    for page in (ROOT / "README.md", ROOT / "docs/your-own-model.md"):
        assert configured in [json.loads(block) for block in blocks(page, "json")]


def test_every_make_target_shown_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = {name for page in PAGES for name in re.findall(r"`make ([a-z-]+)`", page.read_text())}
    assert shown
    assert shown <= targets


def test_configuration_page_lists_every_setting_with_its_default() -> None:
    text = (ROOT / "docs/configuration.md").read_text()
    defaults = json.loads(msgspec.json.encode(Config()))
    for section, values in defaults.items():
        (table,) = re.findall(rf"^## `{section}`\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", table, re.MULTILINE))
        assert list(rows) == list(values), section
        for key, default in values.items():
            if key != "name":  # its default depends on the others
                shown = rows[key].strip().strip("`")
                assert (shown if isinstance(default, str) else json.loads(shown)) == default


def test_protocol_page_lists_every_event_and_request() -> None:
    text = (ROOT / "docs/protocol.md").read_text()
    events = {kind.__struct_config__.tag for kind in get_args(messages.Event)}
    codes = set(get_args(messages.ErrorCode))
    assert {name for name in events | codes if f"`{name}`" not in text} == set()
    start = next(json.loads(b) for b in blocks(ROOT / "docs/protocol.md", "json"))
    request = messages.decode_request(json.dumps(start), max_channels=8)
    assert isinstance(request, messages.Start)
    assert request.vad.over(VadConfig()) == VadConfig()


def test_the_wrong_setting_is_answered_as_shown() -> None:
    (shown,) = blocks(ROOT / "docs/configuration.md", "console")
    environment = {**os.environ, "STREAMER_VAD__THRESHOLD": "2"}
    command = [sys.executable, "-m", "streamer"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 2
    assert run.stderr in shown
