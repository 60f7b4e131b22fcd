"""What the benchmarks reckon by themselves; what they measure is not tested here."""
