"""The protocol of vosk-server: `WS /vosk`.

`dialect.py` is the dialect. `settings.py` reads what clients ask for; `replies.py` has the order of
what they get.

May import: session, http, access, pipeline, inference, protocol, audio, observe, config.
"""
