"""Timings, each a ratio against a peer in the same run: pytest benchmarks."""
