"""Google's Cloud Speech-to-Text v1, of which `schema/google/` has the messages.

May import: the rest of rpc, session, services, http, protocol, config.
"""
