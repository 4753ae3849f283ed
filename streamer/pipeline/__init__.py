"""Audio in, events out: one stream, its channels, their results in order, and the outbox.

The same for WebSockets and for recordings in one request: it knows no wire.

May import: inference, vad, audio, protocol, observe, config.
"""
