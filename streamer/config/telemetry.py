"""What operators see."""

from typing import Literal

from streamer.config.section import Section

LogFormat = Literal["auto", "json", "text"]


class TelemetryConfig(Section, frozen=True):
    """What operators see. Traces are switched on by the standard `OTEL_*` variables."""

    metrics: bool = True
    """true = metrics for Prometheus, at `/metrics`."""
    record_text: bool = False
    """true = traces contain the model's output; the tracing back end then stores what people
    said."""
    log_format: LogFormat = "auto"
    """`json` = one JSON object a line; `text` = columns for people; `auto` = `text` on a terminal,
    else `json`."""
