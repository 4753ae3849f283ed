"""What an installation takes on disk: `make installation-size`.

Installs the locked packages, a release of the server as docs/installing.md does, and the client
alone, each into a new environment, and counts the bytes of all files, with the bytecode that pip
compiles. Prints a table, and writes `build/results/installation.json`.
"""

import tempfile
from pathlib import Path

from rich.console import Console

from streamer.weights.manifest import find_model
from streamer.weights.manifest_schema import WheelSource
from tools.bench.result_files import Row, table, write_json
from tools.command_line import tool_parser
from tools.release.__main__ import ROOT, release
from tools.release.environment import make_environment, megabytes

WEIGHTS = ("moonshine-base-en", "moonshine-tiny-en", "silero-vad")
"""What `streamer models fetch` fetches."""


def installed_mb(folder: Path, *wheels: str) -> float:
    """MB of a new environment with these wheels and what they need; arguments as of pip."""
    make_environment(folder, wheels)
    return sum(megabytes(folder).values())


def weights_mb() -> tuple[float, float]:
    """MB of the models' files on disk, and MB that are downloaded for them."""
    manifests = [find_model(name).manifest for name in WEIGHTS]
    wheels = {
        manifest.source.wheel: manifest.source.bytes
        for manifest in manifests
        if isinstance(manifest.source, WheelSource)
    }
    return sum(each.bytes for each in manifests) / 1e6, sum(wheels.values()) / 1e6


def main() -> None:
    """Install, count, print, write."""
    tool_parser("tools.release.installation", __doc__).parse_args()
    locks = ROOT / "requirements"
    weights, download = weights_mb()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        made = release(ROOT, scratch / "release", cyclonedx=None)
        (server,) = made.glob("streamer_server-*.whl")
        (client,) = made.glob("streamer_client-*.whl")
        (tested,) = made.glob("streamer-constraints-*.txt")
        packages = {
            "running": installed_mb(scratch / "run", *_locked(locks / "image.lock")),
            "tests and benchmarks": installed_mb(
                scratch / "tests", *_locked(locks / "development.lock")
            ),
            "a release of the server": installed_mb(
                scratch / "server", "-c", str(tested), str(server)
            ),
            "the client alone": installed_mb(scratch / "client", str(client)),
        }
    rows: list[Row] = [
        {
            "for": what,
            "packages, MB": round(mb, 1),
            "with weights, MB": None if "client" in what else round(mb + weights),
        }
        for what, mb in packages.items()
    ]
    downloads: list[Row] = [
        {"weights on disk, MB": round(weights), "weights to download, MB": round(download)}
    ]
    out = Console(width=100)
    for title, shown in (("an installation", rows), ("weights", downloads)):
        out.print(table(title, shown))
    print(f"written: {write_json('installation.json', {'rows': rows, 'weights': downloads})}")


def _locked(lock: Path) -> tuple[str, ...]:
    return ("--require-hashes", "-r", str(lock))


if __name__ == "__main__":
    main()
