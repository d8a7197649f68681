"""The report's way into the monitor's status."""
