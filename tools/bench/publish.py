"""Takes the results of the benchmarks into the documentation: `make bench-publish`.

Results and pictures are copied to `docs/performance/`, those of `AUDIO=` to `audio/` in there. In
`docs/performance.md`, what stands between `<!-- table: FILE PART -->` and `<!-- end -->` is written
anew from them, so that no figure there is typed by hand.
"""

import json
import re
import shutil
from pathlib import Path
from typing import Any

from tools.bench.result_files import RESULTS, ROOT

DOCS = ROOT / "docs"
FILES = (
    "accuracy",
    "alternatives",
    "bench",
    "curve",
    "key_terms",
    "long",
    "telemetry",
    "words",
)

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
    numeric = [isinstance(rows[0][head], int | float) for head in heads]
    lines = [
        heads,
        ["---:" if number else "---" for number in numeric],
        *([_cell(row[head]) for head in heads] for row in rows),
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    return "–" if value is None else str(value)


def main() -> None:
    """Copy and write."""
    folder = DOCS / "performance"
    for path in (*RESULTS.rglob("*.json"), *RESULTS.rglob("*.svg")):
        if path.suffix == ".svg" or path.stem in FILES:
            copy = folder / path.relative_to(RESULTS)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    page = DOCS / "performance.md"
    page.write_text(rendered(page.read_text(), folder))
    print(f"written: {page}")


if __name__ == "__main__":
    main()
