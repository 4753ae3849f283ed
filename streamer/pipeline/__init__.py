"""Audio in, events out: one stream, its channels, their results in order, and the outbox.

The same for sockets and recordings, on any wire. `stream.py` decodes, a channel cuts segments,
`results.py` has them inferred, `sender.py` makes events, and `outbox.py` holds them.

May import: inference, model, vad, recordings, audio, protocol, observe, config,
memory.
"""
