"""The documentation as a site: `make docs`.

`quote.py` includes code and tables, `links.py` keeps links valid, `flavour.py` prepares the
Markdown, and `hooks.py` joins them for MkDocs.
"""
