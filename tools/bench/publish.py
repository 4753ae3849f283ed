"""Takes the results of the benchmarks into the documentation: `make bench-publish`.

Results and pictures are copied to `docs/performance/`, those of `AUDIO=` to `audio/` in there. In
the pages `PAGES`, what stands between `<!-- table: FILE PART -->` and `<!-- end -->` is written
anew from them, so that no figure there is typed by hand. Figures in the text of any page are
written anew as well (`tools/docs/figures.py`). The picture of errors and cost is drawn here: it
needs the results of two commands.
"""

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from tools.bench.pictures import draw_errors_by_cost
from tools.bench.result_files import RESULTS, ROOT, cell
from tools.command_line import tool_parser
from tools.docs import figures

DOCS = ROOT / "docs"
FILES = (
    "accuracy",
    "alternatives",
    "balancer",
    "bench",
    "curve",
    "early_finals",
    "grpc",
    "installation",
    "key_terms",
    "levels",
    "long",
    "loop_profile",
    "networks",
    "pairs",
    "peers",
    "remote",
    "remote_failures",
    "rounds",
    "short_words",
    "silence",
    "simulation",
    "telemetry",
    "words",
)

PAGES = ("performance.md", "ray.md", "scaling.md")

TABLE_BLOCK = re.compile(r"(<!-- table: ([\w/]+) (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rendered(page: str, folder: Path) -> str:
    """The page with all tables written from the results in `folder`."""

    def table(found: re.Match[str]) -> str:
        begin, file, part, end = found.groups()
        rows = json.loads((folder / f"{file}.json").read_text())[part]
        return f"{begin}\n{markdown(rows if isinstance(rows, list) else [rows])}\n{end}"

    return TABLE_BLOCK.sub(table, page)


def markdown(rows: list[dict[str, Any]]) -> str:
    """A table with a column for each key of the first row."""
    heads = list(rows[0])
    numeric = [isinstance(rows[0][head], int | float | dict) for head in heads]
    lines = [
        heads,
        ["---:" if number else "---" for number in numeric],
        *([cell(row[head]) for head in heads] for row in rows),
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    """Copy and write."""
    folder = DOCS / "performance"
    for path in (*RESULTS.rglob("*.json"), *RESULTS.rglob("*.svg")):
        if path.suffix == ".svg" or path.stem in FILES:
            copy = folder / path.relative_to(RESULTS)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    accuracy, pairs = (
        json.loads((folder / f"{name}.json").read_text()) for name in ("accuracy", "pairs")
    )
    draw_errors_by_cost(accuracy, pairs, folder)
    for page in (DOCS / name for name in PAGES):
        page.write_text(rendered(page.read_text(), folder))
        print(f"written: {page}")
    if broken := write_figures():
        sys.exit("\n".join(["sentences that do not hold any more:", *broken]))


def write_figures() -> list[str]:
    """Write the figures of all pages anew; returns the claims that do not hold any more."""
    broken = []
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")):
        text = page.read_text()
        now = figures.rewritten(text, page.parent)
        if now.text != text:
            page.write_text(now.text)
            print(f"written: {page}")
        broken += [f"{page.relative_to(ROOT)}: {claim}" for claim in now.broken]
    return broken


if __name__ == "__main__":
    tool_parser("tools.bench.publish", __doc__).parse_args()
    main()
