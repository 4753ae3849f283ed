"""Our own service: the WebSocket protocol, typed. Its messages are in `schema/streamer/v1/`.

May import: the rest of rpc, session, services, access, pipeline, protocol, config, observe.
"""
