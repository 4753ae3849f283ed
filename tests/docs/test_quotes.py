"""Quotes of code and tables in the pages of the site."""

from pathlib import Path

import pytest

from tools.docs.site.quote import QUOTE, NoSuchQuoteError, quoted

SOURCE = '''\
"""A module."""

LIMIT = 3
"""Messages a second."""

LEAST, MOST = 1, 2
"""Bounds."""

@decorated
class Gate:
    """Lets some in."""

    size: int = 1

    def enter(self, name: str) -> bool:
        """Say whether there is room."""
        room = self.size < LIMIT
        self.size += room
        return room
'''
TABLE = "text\n\n<!-- table: one two -->\n\n| a |\n| - |\n| 1 |\n\n<!-- end -->\n"


@pytest.fixture
def code(tmp_path: Path) -> Path:
    path = tmp_path / "gate.py"
    path.write_text(SOURCE)
    return path


def test_a_method_is_quoted_without_its_indent(code: Path) -> None:
    found = quoted(code, "Gate.enter")
    assert found.text.startswith("def enter(self, name: str) -> bool:\n    ")
    assert found.text.endswith("return room")
    assert (found.first_line, found.language) == (15, "python")


def test_a_class_begins_with_its_decorator(code: Path) -> None:
    assert quoted(code, "Gate").text.startswith("@decorated\nclass Gate:")


def test_bare_leaves_out_docstrings(code: Path) -> None:
    text = quoted(code, "Gate bare").text
    assert "Lets some in" not in text
    assert "room = self.size < LIMIT" in text


def test_a_constant_has_its_docstring(code: Path) -> None:
    assert quoted(code, "LIMIT").text == 'LIMIT = 3\n"""Messages a second."""'
    assert quoted(code, "LIMIT bare").text == "LIMIT = 3"
    assert quoted(code, "MOST").text == 'LEAST, MOST = 1, 2\n"""Bounds."""'


def test_a_part_is_found_by_its_first_and_last_line(code: Path) -> None:
    part = quoted(code, "Gate.enter: room = … +=")
    assert part.text == "room = self.size < LIMIT\nself.size += room"
    assert part.first_line == 17


def test_a_part_of_a_file_in_another_language(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("[a]\nb = 1\nc = 2\nd = 3\n")
    part = quoted(path, ": b = … c =")
    assert (part.text, part.first_line, part.language) == ("b = 1\nc = 2", 2, "toml")


def test_a_table_is_quoted_as_markdown(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(TABLE)
    assert quoted(page, "table one two").fenced("page.md") == "| a |\n| - |\n| 1 |"


@pytest.mark.parametrize(
    "what",
    ["Gone", "Gate.gone", "Gate.enter: nowhere", "Gate.enter: room", "LIMIT: LIMIT … gone"],
)
def test_what_is_gone_or_not_unique_is_an_error(code: Path, what: str) -> None:
    with pytest.raises(NoSuchQuoteError, match=r"gate\.py"):
        quoted(code, what)


def test_a_table_or_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    with pytest.raises(NoSuchQuoteError):
        quoted(page, None)
    page.write_text(TABLE)
    with pytest.raises(NoSuchQuoteError):
        quoted(page, "table one three")


def test_only_a_link_on_a_line_of_its_own_is_a_quote() -> None:
    assert QUOTE.search('[`a`: b](../x.py "quote A.b")')
    assert QUOTE.search('[a](../x.py "quote")')
    assert not QUOTE.search('see [a](../x.py "quote A")')
    assert not QUOTE.search('[a](../x.py "other")')
