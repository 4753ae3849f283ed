"""One WebSocket connection: upgrade, frames, messages, keepalive, and how fast a client is read.

An ASGI WebSocket server for uvicorn: an `asyncio.Protocol` of our own, over the sans-I/O core of
the package `websockets`, which implements RFC 6455. In the order of a message's way:

1.  `connection.py` is the protocol class, which the event loop and uvicorn call.
2.  `handshake.py` makes an ASGI scope of the upgrade request, and the answers to it (pure).
3.  `reading.py` parses bytes: a piece at a time, with pauses (`rate.py`) and in turns with other
    connections (`turns.py`). `liveness.py` watches a connection that is not being read.
4.  `frames.py` is the core, and the short way for live audio (without input and output).
5.  `messages.py` joins frames to messages, which wait there for the application.
6.  `application.py` runs the ASGI application, and carries out what it sends.
7.  `writing.py` writes frames, pings (`keepalive.py`) and the end of the connection.

`asgi.py` has the types of ASGI; `channel.py` what protocol and application exchange besides.

May import: config. Knows nothing of speech, sessions or their messages.
"""
