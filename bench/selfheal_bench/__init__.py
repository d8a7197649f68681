"""Benchmarks of selfheal on a real control plane, beside what they are compared to."""
