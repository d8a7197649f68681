"""Loads values of PostgreSQL that psycopg refuses or that PostgreSQL pads."""

from typing import Any, Final

import psycopg
from psycopg.adapt import Loader
from psycopg.types.string import TextLoader

_TIMES: Final = ("date", "timestamp", "timestamptz", "time", "timetz", "interval")


def register_loaders(connection: psycopg.Connection[Any]) -> None:
    """Read times that Python cannot represent as gaps, and char(n) without its padding."""
    for name in _TIMES:
        connection.adapters.register_loader(name, _TimeLoader)
    connection.adapters.register_loader("bpchar", _UnpaddedLoader)


class _TimeLoader(Loader):
    """Returns None for infinity, years BC or after 9999, and the hour 24.

    One such value would otherwise fail the whole table, even in a column that is not compared.
    """

    def __init__(self, oid: int, context: Any = None) -> None:
        super().__init__(oid, context)
        strict = psycopg.adapters.get_loader(oid, self.format)
        if strict is None:
            raise TypeError(f"psycopg has no loader for the type {oid}")
        self._strict = strict(oid, context)

    def load(self, data: Any) -> Any:
        """Return the value, or None."""
        try:
            return self._strict.load(data)
        except (psycopg.DataError, OverflowError):
            return None


class _UnpaddedLoader(TextLoader):
    """Returns a char(n) without trailing blanks, which are not part of its value."""

    def load(self, data: Any) -> Any:
        """Return the text."""
        return super().load(bytes(data).rstrip(b" "))
