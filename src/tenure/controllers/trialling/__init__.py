"""Measuring the real thing: a model started on held cores, beside neighbours, under the load that is asked for."""
