"""Fuzzes checks with malformed data, and verifies invariants of every report.

`kinds_of_csv` and `kinds_of_parquet` make the inputs, `promises` says what a report must keep, and `__main__`
counts. `kinds_of_meaning` makes data that is well formed and can be misread, each with what a check has to
say of it.
"""
