"""JSON over HTTP, and retry policies."""
