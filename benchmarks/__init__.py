"""Measurements, each run on its own: ``python -m benchmarks.pooling`` and its neighbours."""
