"""Thousands of ModelMonitors at work: what one operator process needs for them, and how that grows."""
