"""The commands behind `streamer`: serve, models, check and load. They parse arguments and print.

May import: access, check, config, export, http, inference, load, models, server, telemetry,
version, weights.
"""
