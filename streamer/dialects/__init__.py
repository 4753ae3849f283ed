"""The wire languages that clients speak; `native.py` is Streamer's own.

Each is a `Dialect` of `streamer.session.dialect`; `addresses.py` maps addresses to them.

May import: session, http, services, access, pipeline, websocket, protocol, audio, observe, config,
memory.
"""
