"""A simulation of servers under load: `make simulate`.

Jobs are put in order by the server's own scheduler; what they cost comes from the published results
of the benchmarks. No server runs, and no audio is transcribed.
"""
