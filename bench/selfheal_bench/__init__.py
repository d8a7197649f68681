"""Benchmarks of selfheal on a real control plane, with comparisons."""
