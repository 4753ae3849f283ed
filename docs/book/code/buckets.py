"""A percentile from a histogram, with three choices of buckets."""

import random
from bisect import bisect_left

from prometheus_client import Histogram

from streamer.telemetry.metrics import LATENCIES_S

chance = random.Random(0)
latencies_s = sorted(0.576 + chance.expovariate(1 / 0.06) for _ in range(20_000))


def from_buckets(bounds: tuple[float, ...], share: float) -> float:
    """The percentile as Prometheus computes it: a line within the bucket."""
    counts = [bisect_left(latencies_s, bound) for bound in bounds]
    wanted = share * len(latencies_s)
    above = bisect_left(counts, wanted)
    low, below = (bounds[above - 1], counts[above - 1]) if above else (0.0, 0)
    return low + (bounds[above] - low) * (wanted - below) / (counts[above] - below)


defaults = tuple(bound for bound in Histogram.DEFAULT_BUCKETS if bound < float("inf"))
CHOICES = {"the library's": defaults, "powers of ten": (0.01, 0.1, 1, 10), "ours": LATENCIES_S}
print("buckets        number  median, ms  95 %, ms")
for name, bounds in CHOICES.items():
    median, late = (1_000 * from_buckets(bounds, share) for share in (0.5, 0.95))
    print(f"{name:13}  {len(bounds):6}  {median:10.0f}  {late:8.0f}")
exact = (1_000 * latencies_s[int(share * len(latencies_s))] for share in (0.5, 0.95))
print("exact         {:7}  {:10.0f}  {:8.0f}".format("", *exact))
