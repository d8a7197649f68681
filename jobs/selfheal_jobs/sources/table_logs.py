"""Recognises the folders of table formats that keep a log beside their Parquet files. Pure.

The log says which files belong to the table now. Read without it, deleted and replaced rows come back.
"""

import re
from collections.abc import Collection, Iterable
from typing import Final

from msgspec import Struct

_LOG: Final = re.compile(
    r"(?P<folder>.*)/(?:(?P<Delta>_delta_log)|(?P<Hudi>\.hoodie)|(?P<Iceberg>metadata/[^/]+\.metadata\.json))"
    r"(?:/|$)"
)
"""The paths in the specifications of Delta Lake, Apache Hudi and Apache Iceberg."""


class TableLog(Struct, frozen=True):
    """The log of a table."""

    table_format: str
    folder: str
    """The folder of the table."""
    path: str
    """The log, relative to the folder."""


def log_of(paths: Iterable[str], data: Collection[str]) -> TableLog | None:
    """Return the log of a table that data files belong to; None if they belong to none.

    >>> log_of(["/lake/sales/_delta_log", "/lake/sales/part-0.parquet"], ["/lake/sales/part-0.parquet"])
    TableLog(table_format='Delta', folder='/lake/sales', path='_delta_log')
    """
    logs = {_log(found) for found in map(_LOG.match, paths) if found}
    ours = (log for log in logs if any(path.startswith(_data_folder(log)) for path in data))
    return min(ours, key=lambda log: (log.folder, log.path), default=None)


def _log(found: re.Match[str]) -> TableLog:
    table_format = found.lastgroup or ""
    return TableLog(table_format, found["folder"], found[table_format])


def _data_folder(log: TableLog) -> str:
    """Return the prefix of a table's data files; Iceberg's are in a folder beside the log."""
    return f"{log.folder}/data/" if log.table_format == "Iceberg" else f"{log.folder}/"
