"""Reads data: from a place that a spec names to one `Table`, and no more of it than is asked for.

`sides.py` is where a run begins, `opening.py` locates the data at a place and opens it, and `types/` has one
module for each type of source. It is imported when an address of its type is met, and with it the client of a
database or of a web server.
"""
