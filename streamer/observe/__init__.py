"""What the streaming path reports: measures, traces, the history of a segment, the log context.

Interfaces whose base classes do nothing; `streamer.telemetry` implements them for Prometheus and
OpenTelemetry.

May import: nothing of streamer. Everything may import it.
"""
