"""`make soak` in small: that it runs, judges, and writes down what it found."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_a_short_soak_finds_nothing_wrong(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.soak", "--seconds", "10", "--only", "churn", "chaos"]
    path = os.pathsep.join(map(str, (ROOT, ROOT / "client")))
    run = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert run.returncode == 0, run.stdout
    assert "sockets reset 300" in run.stdout
    results = json.loads((tmp_path / "build/results/soak.json").read_text())
    assert [row["problems"] for row in results["tests"]] == [[], []]
    assert results["tests"][1]["numbers"]["workers killed"] > 0
    assert "| sockets reset | 300 |" in (tmp_path / "build/results/soak.md").read_text()
