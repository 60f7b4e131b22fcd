"""Placement benchmarks over fleets and task lists of openb's columns."""
