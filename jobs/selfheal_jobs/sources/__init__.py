"""Reads data: from a place that a spec names to one `Table`, and no more of it than is asked for.

`sides.py` is where a run begins; `opening.py` puts the readers together. What a scheme needs, the client of a
database or of a web server, is imported when the scheme is met.
"""
