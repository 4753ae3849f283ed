"""The protocol: messages, the state of a socket as a table, and all codes. Pure.

May import: config, audio. Messages carry their formats and bounds.
"""
