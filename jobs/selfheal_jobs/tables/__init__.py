"""Tables of Arrow columns, and the content of a column."""
