"""OpenAI's Realtime API for transcription, `WS /v1/realtime`.

https://platform.openai.com/docs/api-reference/realtime. `messages.py` reads what clients send,
`settings.py` has the session, `start.py` what of it is asked of the pipeline, `items.py` makes
OpenAI's items of events, `deltas.py` the text that only grows, and `dialect.py` joins them.

May import: session, http, access, pipeline, protocol, observe, config, audio.
"""
