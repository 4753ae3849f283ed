"""One WebSocket connection, as an ASGI server: RFC 6455 over the sans-I/O core of `websockets`.

`connection.py` is the protocol class that uvicorn creates. Bytes in: `reading.py`,
`protocol_core.py`, `rate.py`, `turns.py`; out: `writing.py`; between them
`application.py` runs the application.

May import: config, memory. It depends on nothing of speech, sessions or messages of the protocol.
"""
