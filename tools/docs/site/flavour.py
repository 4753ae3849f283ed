"""Differences between the Markdown of code hosts and that of Python-Markdown."""

import re

from tools.docs.site.links import outside_code

BACK = re.compile(r"\A(# .*\n\n)\[← [^\n]*\n\n")
ITEM = re.compile(r"^([-*+]|\d+\.) ")


def flavoured(markdown: str) -> str:
    """Prepare a page.

    A list may follow a paragraph without an empty line on a code host only. The link back to the
    index is left out, because the site has its navigation.
    """
    previous = ""

    def separate(line: str) -> str:
        nonlocal previous
        begins = ITEM.match(line) and previous.strip() and not ITEM.match(previous)
        inside = previous.startswith(" ")  # the last line of a longer item
        previous = line
        return f"\n{line}" if begins and not inside else line

    return outside_code(BACK.sub(r"\1", markdown), separate)
