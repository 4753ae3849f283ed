"""How long segments wait for two workers, by how busy these are."""

from tools.docs.waiting import busiest_waits

print("busy  mean wait  95th percentile  slowest of a thousand")
for busy in (0.5, 0.7, 0.8, 0.9, 0.95):
    waits = busiest_waits(busy)
    mean = sum(waits) / len(waits)
    late = waits[int(0.95 * len(waits))]
    latest = waits[int(0.999 * len(waits))]
    print(f"{busy:4.0%}  {mean:9.2f}  {late:15.2f}  {latest:21.2f}")
