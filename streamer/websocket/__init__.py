"""One WebSocket connection: frames, reading rates, turns between connections, liveness.

Implements RFC 6455 with the sans-I/O core of `websockets`; uvicorn creates the connections.

May import: config. Knows nothing of speech, sessions or messages.
"""
