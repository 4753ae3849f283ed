"""The settings: each section has a file, such as `limits.py`; `schema.py` is all of them.

`sources.py` reads them, and `explain.py` words errors.

May import: nothing of streamer. Everything may import it.
"""
