"""How the tools are imported and run: from the root, by absolute names, and without the tests."""

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "tools").rglob("*.py"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports; a relative one begins with a dot."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_tool_imports_by_absolute_names_and_no_tests(path: Path) -> None:
    roots = {name.partition(".")[0] for name in imports(path)}
    assert "tests" not in roots
    assert "" not in roots, "a relative import"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_tool_names_targets_that_there_are(path: Path) -> None:
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    named = re.findall(r"(?:`|^ +)make ([a-z-]+)", text, re.MULTILINE)
    assert set(named) <= TARGETS


@pytest.mark.parametrize(
    "path",
    [ROOT / "Makefile", ROOT / ".ci/run", *MODULES, *(ROOT / "docs").glob("*.md")],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_a_command_names_a_tool_that_there_is(path: Path) -> None:
    for module in re.findall(r"python -m (tools\.[a-z_.]*[a-z_])", path.read_text()):
        found = importlib.util.find_spec(module)
        assert found is not None, module
        if found.submodule_search_locations:
            assert importlib.util.find_spec(f"{module}.__main__") is not None, module
