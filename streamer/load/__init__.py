"""The load generator: many live streams from one process, at little cost to the machine.

`plan.py` describes what to play, `generate.py` plays it, and `load_report.py` holds the results.
Each `load_stream.py` is one socket, opened by `connect.py`; `websocket_frames.py` is what they need
of RFC 6455.

May import: nothing of streamer. It uses `streamer_client`. Only `streamer.cli` imports it.
"""
