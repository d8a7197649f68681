"""Feeds checks with data that no writer should write, and holds every report against what is promised.

`kinds_of_csv` and `kinds_of_parquet` make the inputs, `promises` says what a report must keep, and `__main__`
counts.
"""
