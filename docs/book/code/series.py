"""What a label costs: time series, and bytes of each scrape."""

import secrets

from prometheus_client import CollectorRegistry, Histogram, generate_latest

from streamer.observe.monitor import Route
from streamer.telemetry.metrics import LATENCIES_S

SESSIONS = 1_000
ROUTES: tuple[Route, ...] = ("segmented", "simple", "recording")

print("label       series  KB of each scrape")
for label in ("route", "session"):
    registry = CollectorRegistry()
    made = Histogram("final_seconds", "…", [label], registry=registry, buckets=LATENCIES_S)
    for number in range(SESSIONS):
        value = ROUTES[number % 3] if label == "route" else secrets.token_hex(8)
        made.labels(value).observe(0.6)
    text = generate_latest(registry)
    series = sum(not line.startswith(b"#") for line in text.splitlines())
    print(f"{label:8}  {series:8}  {len(text) / 1_000:17.0f}")
