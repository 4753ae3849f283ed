"""What an installation of the client alone takes: `python -m tools.release.client_size`.

Builds the client's wheel from the commit that is checked out, installs it with what it needs into a
new environment, and counts the bytes of all files, with the bytecode that pip compiles.
"""

import sys
import tempfile
from pathlib import Path

from tools.command_line import tool_parser
from tools.release.__main__ import ROOT, release
from tools.release.environment import make_environment, megabytes

MOST_MB = 15.0
"""MB that it may take."""


def main() -> int:
    """Return the exit code: 1 if it takes more."""
    tool_parser("tools.release.client_size", __doc__).parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        (wheel,) = release(ROOT, scratch, cyclonedx=None).glob("streamer_client-*.whl")
        make_environment(scratch / "environment", [str(wheel)])
        sizes = megabytes(scratch / "environment")
    for package, size in sorted(sizes.items(), key=lambda item: -item[1]):
        print(f"{size:6.2f} MB  {package}")
    total = sum(sizes.values())
    print(f"{total:6.2f} MB  together; at most {MOST_MB:g}")
    return int(total > MOST_MB)


if __name__ == "__main__":
    sys.exit(main())
