"""Tables of Arrow columns, and what a column holds."""
