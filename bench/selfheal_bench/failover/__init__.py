"""Measures how long a standby takes to take over when the leader ends."""
