"""Benchmarks: what demottle reaches, beside named rivals, in one run. `make benchmark`."""
