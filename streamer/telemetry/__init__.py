"""What operators see: metrics for Prometheus, traces for OpenTelemetry, log lines.

Implements the interfaces of `streamer.observe`. Only the program (cli, server, app) imports it.

May import: inference, protocol, observe, config.
"""
