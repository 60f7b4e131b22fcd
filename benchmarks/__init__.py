"""Benchmarks: each prints ours, the peers and the limit from one run, as a table or as JSON."""
