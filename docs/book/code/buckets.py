"""A percentile from a histogram, with three choices of buckets."""

from tools.docs.latency_buckets import CHOICES, from_buckets, latencies_s

values = latencies_s()
print("buckets        number  median, ms  95 %, ms")
for name, bounds in CHOICES.items():
    median, late = (1_000 * from_buckets(values, bounds, share) for share in (0.5, 0.95))
    print(f"{name:13}  {len(bounds):6}  {median:10.0f}  {late:8.0f}")
exact = (1_000 * values[int(share * len(values))] for share in (0.5, 0.95))
print("exact         {:7}  {:10.0f}  {:8.0f}".format("", *exact))
