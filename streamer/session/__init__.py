"""One client on one socket, from accept to close: reader, inputs, inbox, executor, writer.

`session.py` is that life on one page.

May import: services, pipeline, access, websocket, protocol, audio, observe, config, memory.
"""
