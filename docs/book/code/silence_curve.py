"""What the silence that ends a segment costs and brings, from the published results."""

import json
from pathlib import Path

rows = json.loads(Path("docs/performance/silence.json").read_text())["rows"]
tiny = [row for row in rows if "tiny" in row["model"]]
base = [row for row in rows if "base" in row["model"]]
print("silence, ms  waited, ms  word errors, %: Tiny   Base  pauses in vain, %")
for small, large in zip(tiny, base, strict=True):
    errors = [row["word errors, %"]["mean"] for row in (small, large)]
    print(
        f"{small['min_silence_ms']:11}  {small['waited, ms']:10}  {errors[0]:20.1f}"
        f"  {errors[1]:5.1f}  {small['eager interims taken back, %']:17}"
    )
