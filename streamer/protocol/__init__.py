"""The protocol: messages, the state of a socket as a table, and all codes. Pure.

Clients send what is in `requests.py`; the server answers with what is in `events.py`.

May import: config, audio. Messages carry their formats and bounds.
"""
