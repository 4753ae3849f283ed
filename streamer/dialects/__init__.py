"""The wire languages that clients speak; `native.py` is Streamer's own.

Each is a `Dialect` of `streamer.session.dialect`; `streamer.app` maps addresses to dialects.

May import: session, access, pipeline, protocol, observe, config.
"""
