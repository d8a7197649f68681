"""JSON over HTTP, and how often a request is tried."""
