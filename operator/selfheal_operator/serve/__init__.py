"""The operator's HTTP server: health and metrics."""
