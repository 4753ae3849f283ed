"""The load generator: many live streams from one process, at little cost to the machine.

`plan.py` says what to play, `generate.py` plays it, and `report.py` holds what came of it. Each
`stream.py` is one socket, opened by `connect.py`; `frames.py` is the little of RFC 6455 they need.

May import: `streamer_client`. Nothing of the server imports it but `streamer.cli`.
"""
