"""What the silence that ends a segment costs and brings, from the published curve."""

import json
from pathlib import Path

curve = json.loads(Path("docs/performance/curve.json").read_text())
print("silence, ms  waited, ms  word errors, %  of whole files, %")
for row in curve["rows"]:
    if row["setting"] == "min_silence_ms":
        waited = -(-row["value"] // 32) * 32  # whole windows of the detector
        errors, whole = row["word error rate"], row["of whole files"]
        print(f"{row['value']:11}  {waited:10}  {errors:14.1f}  {whole:17.1f}")
