"""What was tried and not taken: `make bench-alternatives`; `docs/performance.md` gives reasons."""
