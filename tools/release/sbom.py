"""The bill of materials (CycloneDX 1.6) of the server and its image: packages, and weights."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tools.release.source import NotReleasable, Source

ROOT = Path(__file__).parents[2]
CYCLONEDX = ROOT / "build/tools/bin/cyclonedx-py"
LOCK = "requirements/image.lock"


def write_sbom(source: Source, target: Path, program: Path = CYCLONEDX) -> int:
    """Write the bill of materials of a commit; return the number of its components.

    Args:
        source: The commit: its locked packages with their hashes, and the weights of its models.
        target: The file.
        program: `cyclonedx-py`, which `make tools` installs.

    Raises:
        NotReleasable: The program is missing, or cannot read the lock.
    """
    command = [str(program), "requirements", "--pyproject", "pyproject.toml", "--of", "JSON"]
    command += ["--output-reproducible", "--validate", "-o", "-", LOCK]
    try:
        done = subprocess.run(command, cwd=source.root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise NotReleasable(f"there is no {program}: run `make tools`") from None
    if done.returncode:
        raise NotReleasable(f"cyclonedx-py: {done.stderr.strip()}")
    bill: dict[str, Any] = json.loads(done.stdout)
    root = bill["metadata"]["component"]
    root["version"] = source.version
    root["purl"] = f"pkg:pypi/{root['name']}@{source.version}"
    weights = [_weights(path) for path in sorted(source.root.glob("models/*/model.json"))]
    bill["components"] += weights
    everything = [component["bom-ref"] for component in bill["components"]]
    others = [entry for entry in bill["dependencies"] if entry["ref"] != root["bom-ref"]]
    others += [{"ref": component["bom-ref"]} for component in weights]
    bill["dependencies"] = [{"ref": root["bom-ref"], "dependsOn": sorted(everything)}, *others]
    target.write_text(json.dumps(bill, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    return len(bill["components"])


def _weights(path: Path) -> dict[str, Any]:
    """A model whose weights a release downloads or names, as a component."""
    manifest = json.loads(path.read_text())
    found = {
        "bom-ref": f"model-{manifest['name']}",
        "type": "machine-learning-model",
        "name": manifest["name"],
        "description": manifest.get("description", ""),
        "licenses": [{"license": {"name": manifest["licence"]}}],
    }
    wheel = manifest.get("source", {})
    if wheel.get("type") == "wheel":
        found["version"] = wheel["version"]
        found["purl"] = f"pkg:pypi/{wheel['package']}@{wheel['version']}?file_name={wheel['wheel']}"
        found["hashes"] = [{"alg": "SHA-256", "content": wheel["sha256"]}]
    return found
