"""Benchmarks: how fast, how many streams, how accurate. `make bench` and its relatives."""
