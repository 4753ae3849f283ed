"""Who may use the server, and whether there is room: tokens, origins, places, the gate.

`gate.py` is the ASGI middleware that every request and WebSocket passes first.

May import: config, inference, memory. It depends on ASGI, and not on audio, sessions or models; of
`inference`, it knows what a new session would wait for.
"""
