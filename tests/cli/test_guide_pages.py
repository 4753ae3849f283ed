"""A page that a message names can be opened from the folder in which the command runs."""

import re
from pathlib import Path

import pytest

from streamer.check.files import advice, folder_advice
from streamer.config.guide import page

ROOT = Path(__file__).parents[2]


def test_a_page_is_named_as_it_is_seen_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert page("deployment.md#tls") == "docs/deployment.md#tls"
    monkeypatch.chdir(tmp_path)
    assert page("deployment.md#tls") == f"{ROOT}/docs/deployment.md#tls"


def test_a_server_that_was_installed_without_its_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamer.config.guide.ROOT", tmp_path)
    assert page("deployment.md#tls") == "docs/deployment.md#tls in Streamer's repository"


def test_the_pages_that_messages_name_exist_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for line in (advice(Path("a.pt")), advice(Path("a.yaml")), folder_advice(tmp_path)):
        (named,) = re.findall(r"see (\S+\.md)", line)
        assert Path(named).is_file()


def test_no_message_names_a_page_by_its_place_in_the_repository() -> None:
    """Docstrings and comments may."""
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for folder in ("streamer", "client")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line in path.read_text().splitlines()
        if re.search(r"""["'(]docs/\w|see docs/""", line, re.IGNORECASE)
    ]
    assert found == []
