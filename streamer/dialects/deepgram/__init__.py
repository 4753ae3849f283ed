"""Deepgram's live protocols: `WS /v1/listen`, and Flux at `WS /v2/listen`.

`live.py` and `flux.py` are the dialects; `live_messages.py` and `flux_messages.py` their messages.

May import: session, http, access, pipeline, inference, protocol, audio, observe, config.
"""
