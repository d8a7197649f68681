"""Delivery of reports to the monitor's status."""
