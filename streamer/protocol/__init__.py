"""The protocol: messages, the state of a socket as a table, and all codes. Pure.

May import: config and audio, for the formats and bounds that messages carry.
"""
