"""Programs for those who develop Streamer: benchmarks, soak tests, pictures, audits.

Run them with `make` or `python -m tools.NAME` from the root of the repository.
"""
