"""Measures the resources of one operator process with thousands of ModelMonitors, and their growth."""
