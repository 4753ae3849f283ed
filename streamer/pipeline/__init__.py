"""Audio in, events out: one stream, its channels, their results in order, and the outbox.

The same for WebSockets and for recordings in one request: nothing here depends on the wire.

`stream.py` decodes and gives each channel its samples. A channel (`speech_channel.py`,
`chunk_channel.py`) cuts segments, `results.py` has them inferred and keeps their order, `sender.py`
makes the events, and `outbox.py` holds them until they are sent.

May import: inference, vad, audio, protocol, observe, config.
"""
