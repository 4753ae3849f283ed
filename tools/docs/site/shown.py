"""Pages that show a file or a folder of the repository."""

from pathlib import Path

from tools.docs.site.quote import LANGUAGES

HEAD = "---\nsearch:\n  exclude: true\n---\n\n"
OTHER = {".html": "html", ".yaml": "yaml", ".yml": "yaml", ".md": "markdown", ".sh": "bash"}


def shown(path: str, root: Path) -> str:
    """Return the Markdown of a page that shows a file, or the names in a folder.

    Args:
        path: Relative to the repository.
        root: The repository.

    Raises:
        FileNotFoundError: It does not exist.
    """
    place = root / path
    if place.is_dir():
        names = sorted(
            f"{one.name}/" if one.is_dir() else one.name
            for one in place.iterdir()
            if not one.name.startswith((".", "__pycache__"))
        )
        return f"{HEAD}# {path}/\n\n" + "\n".join(f"- `{name}`" for name in names) + "\n"
    try:
        text = place.read_text()
    except UnicodeDecodeError:
        return f"{HEAD}# {path}\n\n{place.stat().st_size:,} bytes; not text.\n"
    language = (LANGUAGES | OTHER).get(place.suffix, "text")
    return f'{HEAD}# {path}\n\n````{language} linenums="1"\n{text.rstrip()}\n````\n'
