"""The settings: `schema.py` documents each one, `sources.py` reads them, `explain.py` words errors.

May import: nothing of streamer. Everything may import it.
"""
