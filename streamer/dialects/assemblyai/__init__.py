"""AssemblyAI's live protocol, version 3: `WS /v3/ws`.

`dialect.py` is the dialect. `settings.py` reads what clients ask for; `events.py` makes what they
get.

May import: session, http, access, pipeline, inference, protocol, audio, observe, config.
"""
