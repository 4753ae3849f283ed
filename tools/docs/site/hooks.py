"""What MkDocs calls while it builds the site."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from tools.docs.figures import FIGURE
from tools.docs.site.flavour import flavoured
from tools.docs.site.links import PAGES, SHOWN, address, rewritten, targets
from tools.docs.site.quote import QUOTE, NoSuchQuoteError, quoted
from tools.docs.site.shown import shown

ROOT = Path(__file__).parents[3]
ORIGINS = {site: path for path, site in PAGES.items()}


def _origin(src_uri: str) -> str:
    return ORIGINS.get(src_uri, f"docs/{src_uri}")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of what is outside `docs/`."""
    written = [f"docs/{file.src_uri}" for file in files.documentation_pages()]
    for path, uri in PAGES.items():
        files.append(File.generated(config, uri, content=(ROOT / path).read_text()))
    for page in [*written, *PAGES]:
        for path in targets((ROOT / page).read_text(), page):
            uri = address(path, ROOT)
            if not uri.startswith(SHOWN) or files.get_file_from_path(uri):
                continue
            if not (ROOT / path).exists():
                raise PluginError(f"{page}: a link to {path}, which does not exist")
            files.append(File.generated(config, uri, content=shown(path, ROOT)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Include the quotes of a page, and make its links valid in the site."""
    if page.file.src_uri.startswith(SHOWN):
        return markdown
    origin = _origin(page.file.src_uri)

    def include(found: re.Match[str]) -> str:
        place = (ROOT / origin).parent / found["path"]
        try:
            block = quoted(place, found["what"])
        except NoSuchQuoteError as error:
            raise PluginError(f"{origin}: {error}") from None
        title = place.resolve().relative_to(ROOT)
        return f"[{found['caption']}]({found['path']})\n\n{block.fenced(str(title))}"

    quotes = QUOTE.sub(include, markdown)
    linked = rewritten(FIGURE.sub(_with_source, quotes), origin, ROOT)
    return flavoured(linked)


def _with_source(figure: re.Match[str]) -> str:
    """A figure looks like the text around it; pointing at it shows where it comes from."""
    source = f"{Path(figure['path']).name}: {' '.join(figure['what'].split())}"
    return f'[{figure["shown"]}]({figure["path"]} "{source}"){{ .figure }}'
