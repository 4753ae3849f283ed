"""What these tests need besides Python."""

from pathlib import Path

from tests.needed import missing, program

HERE = Path(__file__).parent
TOOLS = HERE / "node_modules"


def chromium() -> str:
    """The path of the browser; skips the test where there is none."""
    return program("chromium", "chromium")


def node() -> str:
    """The path of Node, with its packages; skips the test where there are none."""
    path = program("node", "nodejs")
    if not TOOLS.is_dir():
        missing("the Node packages of these tests are not installed: make web-tools")
    return path


def axe() -> str:
    """The source of axe-core, which finds what keeps people out; skips the test without it."""
    node()
    return (TOOLS / "axe-core/axe.min.js").read_text()
