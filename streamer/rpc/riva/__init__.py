"""NVIDIA Riva's speech recognition, of which `schema/riva/` has the messages.

May import: the rest of rpc, session, services, http, protocol, config.
"""
