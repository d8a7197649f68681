"""Hostile data for the check: `make fuzz-data`."""
