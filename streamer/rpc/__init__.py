"""Streams over gRPC, on a port of its own; needs the packages of the extra `grpc`.

`port.py` has the server, `call.py` one call, `own/` our own service, `google/` and `riva/` those of
vendors, `recognition/` what these two have in common, `schema/` all messages.

May import: session, http, services, access, pipeline, inference, recordings, websocket, protocol,
audio, config, observe.
"""
