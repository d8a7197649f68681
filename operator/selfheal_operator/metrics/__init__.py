"""What the operator's owner can measure, in Prometheus' terms."""
