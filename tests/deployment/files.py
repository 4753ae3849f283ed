"""The files in `deploy/`, and the page that explains them."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
GUIDE = (ROOT / "docs/deployment.md").read_text()
