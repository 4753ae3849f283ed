"""The pages of the documentation, as messages name them."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
"""Of the repository, if the server runs from it."""


def page(name: str) -> str:
    """A page as it is found from the present folder, such as `docs/deployment.md#tls`.

    Args:
        name: Of the file in `docs/`; a heading may follow it.
    """
    file, mark, heading = name.partition("#")
    path = ROOT / "docs" / file
    if not path.is_file():
        return f"docs/{name} in Streamer's repository"
    try:
        here = path.relative_to(Path.cwd())
    except (ValueError, OSError):  # elsewhere, or the present folder has been removed
        here = path
    return f"{here}{mark}{heading}"
