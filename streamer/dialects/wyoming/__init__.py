"""Wyoming, the protocol of Home Assistant's voice services, on a TCP port of its own.

`codec.py` has bytes and events, `dialect.py` their meaning, `connection.py` one TCP connection, of
which `incoming.py` is the reading side, and `outgoing.py` the writing side.

May import: session, http, services, access, pipeline, websocket, protocol, audio, config, observe.
"""
