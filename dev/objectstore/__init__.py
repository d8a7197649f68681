"""A real S3 server for tests: versitygw, built from its pinned Go module, over a folder."""
