"""Drift of columns: methods (tests and distances), the rule Calibrated, and their use on a table."""
