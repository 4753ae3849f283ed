"""The packages explain themselves, and `streamer/__init__.py` lists the way of the audio."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import streamer
from tests.needed import missing

ROOT = Path(__file__).parents[1] / "streamer"
PACKAGES = sorted(path.parent for path in ROOT.rglob("__init__.py") if path.parent != ROOT)
AT_THE_ROOT = {
    *("__init__.py", "__main__.py", "app.py", "memory.py", "model.py", "server.py"),
    *("services.py", "version.py", "py.typed"),
}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_package_says_in_five_lines_what_it_is_for_and_may_import(package: Path) -> None:
    text = ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""
    lines = [line for line in text.splitlines() if line]
    assert 2 <= len(lines) <= 5
    assert any(line.startswith("May import: ") for line in lines)


@pytest.mark.parametrize(
    "package", [path for path in PACKAGES if path.parent == ROOT], ids=lambda path: path.name
)
def test_a_package_imports_what_it_says(package: Path) -> None:
    text = ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""
    (said,) = re.findall(r"^May import: ([^.]*)\.", text, re.MULTILINE)
    imported = {
        module.split(".")[1]
        for path in package.rglob("*.py")
        for module in _imports(ast.parse(path.read_text()))
        if module.startswith("streamer.")
    }
    assert imported - {package.name} == set(re.findall(r"\w+", said)) - {
        "nothing",
        "of",
        "streamer",
    }


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def test_no_module_lies_at_the_root_that_has_a_room() -> None:
    assert {path.name for path in ROOT.iterdir() if path.is_file()} == AT_THE_ROOT


def test_the_way_of_the_audio_passes_at_most_22_files_which_exist() -> None:
    way = re.findall(r"^.{22}(?=[ \d])\s*(\d+) (\S+\.py)", streamer.__doc__ or "", re.MULTILINE)
    assert [int(number) for number, _ in way] == list(range(1, len(way) + 1))
    assert 20 <= len(way) <= 22
    assert [name for _, name in way if not (ROOT / name).is_file()] == []


def test_the_top_level_has_what_it_needs_and_no_more() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT.parent, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        missing("this is not a git checkout")
    top = {name.partition("/")[0] for name in listed.stdout.splitlines()}
    assert {name for name in top if not name.startswith(".")} == {
        *("README.md", "LICENSE", "SECURITY.md", "CONTRIBUTING.md", "Makefile", "Dockerfile"),
        *("pyproject.toml", "config.json", "docker-compose.yml", "otel-collector.yaml"),
        *("prometheus.yml", "streamer", "client", "tests", "models", "docs", "deploy", "tools"),
        *("requirements", "CHANGELOG.md", "MANIFEST.in"),
    }


def test_people_alone_are_somebody() -> None:
    """Words that hide what is meant: name the client, the task, the result, the batch."""
    riddles = re.compile(r"\b(whoever|somebody|nobody|owed|company)\b", re.IGNORECASE)
    places = [
        f"{path.relative_to(ROOT.parent)}: {found[0]}"
        for folder in (ROOT, ROOT.parent / "client")
        for path in folder.rglob("*")
        if path.suffix in (".py", ".js", ".html", ".css", ".md", ".ts")
        for found in riddles.finditer(path.read_text())
    ]
    assert places == []
