"""Write the parts of pages that come from the code: `make docs` does this first."""

from collections.abc import Callable
from pathlib import Path

from tools.command_line import tool_parser
from tools.docs import options, settings

DOCS = Path(__file__).parents[2] / "docs"
CONFIGURATION = DOCS / "configuration.md"
COMMAND_LINE = DOCS / "command-line.md"
WRITTEN: dict[Path, Callable[[str], str]] = {
    CONFIGURATION: settings.rendered,
    COMMAND_LINE: options.rendered,
}
"""What writes the parts of each page."""


def main() -> None:
    """Write all pages."""
    for page, rendered in WRITTEN.items():
        text = page.read_text()
        if (now := rendered(text)) != text:
            page.write_text(now)
            print(f"written: {page.name}")


if __name__ == "__main__":
    tool_parser("tools.docs.pages", __doc__).parse_args()
    main()
