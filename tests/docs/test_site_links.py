"""The links of the pages, as the site has them."""

import posixpath
import re
from pathlib import Path

import pytest

from tools.docs.site.flavour import flavoured
from tools.docs.site.links import address, rewritten, targets

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("page", "written", "in_the_site"),
    [
        ("docs/README.md", "[x](protocol.md#words)", "[x](protocol.md#words)"),
        ("docs/README.md", "[x](../README.md)", "[x](start.md)"),
        ("docs/README.md", "[x](../models/README.md#a)", "[x](models.md#a)"),
        ("README.md", "![x](docs/pictures/live.svg)", "![x](pictures/live.svg)"),
        ("README.md", "[`a`](streamer) [b](LICENSE)",
         "[`a`](source/streamer/index.md) [b](source/LICENSE.md)"),
        ("docs/inference.md", "[x](../streamer/app.py)", "[x](source/streamer/app.py.md)"),
        ("docs/browser.md", "[x](examples/scores/index.html)",
         "[x](source/docs/examples/scores/index.html.md)"),
        ("streamer/web/streamer-client/README.md", "[x](../../../docs/README.md)",
         "[x](README.md)"),
        ("docs/README.md", "[x](https://a.example/b.md) [y](#z)",
         "[x](https://a.example/b.md) [y](#z)"),
        ("docs/README.md", "`[x](../README.md)`", "`[x](../README.md)`"),
    ],
)  # fmt: skip
def test_a_link_leads_to_the_page_of_the_same_file(
    page: str, written: str, in_the_site: str
) -> None:
    assert rewritten(written, page, ROOT) == in_the_site


def test_code_is_left_as_it_is() -> None:
    text = "```python\n[x](../README.md)\n```\n[x](../README.md)"
    assert rewritten(text, "docs/README.md", ROOT) == text[: text.rindex("(")] + "(start.md)"
    assert list(targets(text, "docs/README.md")) == ["README.md"]


def test_a_list_behind_a_paragraph_gets_an_empty_line() -> None:
    assert flavoured("Text:\n- a\n  more\n- b\n") == "Text:\n\n- a\n  more\n- b\n"
    assert flavoured("```\nx\n- a\n```") == "```\nx\n- a\n```"


def test_the_link_back_to_the_index_is_left_out() -> None:
    assert flavoured("# Title\n\n[← Documentation](README.md)\n\nText") == "# Title\n\nText"


def test_the_navigation_has_the_pages_of_the_index_in_its_order() -> None:
    navigation = (ROOT / "tools/docs/site/mkdocs.yml").read_text().partition("\nnav:\n")[2]
    shown = re.findall(r"(\S+\.md)$", navigation, re.MULTILINE)
    tables = (ROOT / "docs/README.md").read_text().partition("\n## When ")[0]
    listed = re.findall(r"^\| \[[^]]+\]\(([^)]+)\)", tables, re.MULTILINE)
    pages = [address(posixpath.normpath(f"docs/{link}"), ROOT) for link in listed]
    assert shown == ["README.md", "start.md", *pages]
