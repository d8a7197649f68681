"""Reads the data sources of a spec as a `Table`: only the requested columns and rows.

`sides.py` is the entry point, `opening.py` locates the data of a source and opens it, and `types/` has one
module for each type of source. The module, and with it the client of a database or of a web server, is
imported only if a spec uses an address of its type.
"""
