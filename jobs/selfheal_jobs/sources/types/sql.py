"""Reads a table or a query of a SQL database as a stream of only the requested columns and rows.

The window becomes a WHERE clause with bound parameters for the same times as in `timespan`, which filters the
received rows again. Rows are read through a server-side cursor if the driver has one.
"""

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

import pyarrow as pa
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import URL, Connection

from selfheal_jobs.errors import DataError
from selfheal_jobs.sources.asked import Asked
from selfheal_jobs.sources.collector import Collector
from selfheal_jobs.sources.credentials import lacks, secret_values
from selfheal_jobs.sources.failures import FILE_FAILURES, as_data_errors
from selfheal_jobs.sources.mounted import require_mounted
from selfheal_jobs.sources.permitted import require_endpoint
from selfheal_jobs.sources.place import Place
from selfheal_jobs.sources.sql_failures import as_data_error
from selfheal_jobs.sources.tables import SourceTable
from selfheal_jobs.sources.timespan import TimeSpan
from selfheal_jobs.sources.window_columns import with_timestamps

_ROWS_AT_ONCE: Final = 10_000
_CONNECT_SECONDS: Final = 10
_LONGEST_STATEMENT_SECONDS: Final = 21_600
"""For the first rows, and for each further part of them; as long as a retraining may take by default."""
_DRIVERS: Final = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}
"""The driver in the image. A URL may name another driver, which then needs a custom image."""
_POSTGRES: Final = {
    "connect_timeout": _CONNECT_SECONDS,
    "application_name": "selfheal",
    # Times without a zone are UTC. Scans start at the table's beginning, for a reproducible order of rows.
    # The server does not notice that a run was ended at its deadline while it works on a statement.
    "options": "-c timezone=UTC -c synchronize_seqscans=off -c default_transaction_read_only=on"
    f" -c statement_timeout={_LONGEST_STATEMENT_SECONDS}s",
}

_TOKENS: Final = re.compile(
    r"(?P<gap>\s+|--[^\n]*|/\*.*?\*/)|(?P<end>;)"
    r"|[eE]'(?:\\.|[^'\\])*'|'[^']*'|\"[^\"]*\"|`[^`]*`|(\$\w*\$).*?\3|\w+|.",
    re.DOTALL,
)
"""Comments, semicolons, and the literals and names in which either of them is text."""

_SQL_ERRORS: Final = (sa.exc.SQLAlchemyError, ImportError, UnicodeError)


class Sql:
    """A database that SQLAlchemy has a driver for."""

    def locate(self, place: Place) -> "SqlData":
        """Return the table or query of a place, without connecting to the database."""
        return SqlData(place)

    def explain(self, place: Place, error: Exception) -> DataError:
        """Return the DataError for an error of SQLAlchemy, its driver, or the spool."""
        if isinstance(error, _SQL_ERRORS):
            return as_data_error(place, error, _url(place).get_backend_name())
        return FILE_FAILURES.explain(place, error)


SOURCE: Final = Sql()


class SqlData(Struct, frozen=True):
    """A table or a query of one database."""

    place: Place

    def identity(self, *, least_bytes: int = 0) -> None:
        """Return None: databases do not report whether a table has changed."""

    def open(self, asked: Asked) -> SourceTable:
        """Return the table or the query's result.

        Raises:
            DataError: The database does not respond, denies access, or has no such table or column.
        """
        with as_data_errors(SOURCE.explain, self.place):
            url = _url(self.place)
            _require_permitted_server(self.place, url)
            try:
                with _connected(url) as connection:
                    return _read(connection, self.place, asked)
            except _SQL_ERRORS as error:  # not chained: its message and its cause contain the URL
                raise SOURCE.explain(self.place, error) from None


def _url(place: Place) -> URL:
    reference = place.source.secret_ref
    key = (reference.key if reference else None) or "url"
    text = secret_values(place).get(key)
    if not text:
        raise lacks(place, key)
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        why = f"the Secret's {key} is no database URL such as postgresql://user:password@host/database"
        raise place.denied(why) from None
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    return _read_only_file(place, url) if url.get_backend_name() == "sqlite" else url


def _read_only_file(place: Place, url: URL) -> URL:
    """Return the URL of a SQLite database that is neither created nor written to."""
    path = url.database or ""
    if path.startswith("file:"):
        path = unquote(urlsplit(path).path)
    if path in {"", ":memory:"}:
        raise place.denied("the Secret has to name the file of a SQLite database, by sqlite:////path")
    require_mounted(place, path)
    if not Path(path).is_file():
        raise place.not_found(f"the file {path!r}, which the Secret names, was not found")
    return url.set(database=f"file:{quote(path)}", query={**url.query, "mode": "ro", "uri": "true"})


def _require_permitted_server(place: Place, url: URL) -> None:
    """Raise DataError for a database on a server that no run may reach."""
    for host, port in _servers(url):
        authority = f"{host}:{port}" if port else host
        require_endpoint(place, f"{url.get_backend_name()}://{authority}/{url.database or ''}", host)


def _servers(url: URL) -> Iterator[tuple[str, str]]:
    """Yield hosts and ports of a URL; libpq takes several, and also from the parameters."""
    if url.host:
        yield url.host, str(url.port or "")
    for name in ("host", "hostaddr"):
        for part in url.normalized_query.get(name, ()):
            for each in part.split(","):
                host, _, port = each.rpartition(":") if each.count(":") == 1 else (each, "", "")
                if host and not host.startswith("/"):  # the folder of a socket
                    yield host, port


@contextmanager
def _connected(url: URL) -> Iterator[Connection]:
    options = dict(_POSTGRES) if url.drivername == "postgresql+psycopg" else {}
    engine = sa.create_engine(url, connect_args=options, poolclass=sa.pool.NullPool, hide_parameters=True)
    try:
        with engine.connect() as connection:
            # Every statement is a server-side cursor's. PostgreSQL takes one statement for it, and only a
            # query. Its simple protocol takes several: a COMMIT among them would end the read-only
            # transaction, and the rest could write.
            connection.execution_options(stream_results=True, yield_per=_ROWS_AT_ONCE)
            if options:
                from selfheal_jobs.sources.postgres_values import register_loaders  # noqa: PLC0415

                register_loaders(connection.connection.driver_connection)  # type: ignore[arg-type]
            yield connection
    finally:
        engine.dispose()


def _read(connection: Connection, place: Place, asked: Asked) -> SourceTable:
    source = _source(place)
    names = _names(connection, place, source)
    wanted = [name for name in names if asked.columns.keeps(name)] or names[:1]
    read = with_timestamps(place, wanted, names, asked.span)
    collector = Collector(asked, wanted, offered=names, place=place)
    query: Any = sa.select(*(sa.column(name) for name in read)).select_from(source)
    if asked.span is not None:
        condition = _condition(connection, source, asked.span)
        if condition is not None:
            collector.tally.has_times = True
            collector.tally.unreadable += _without_timestamp(connection, source, asked.span.column)
            query = query.where(condition)
    for rows in connection.execute(query).partitions():
        collector.add(_batch(rows, read))
    return collector.table(_types(place, collector))


def _source(place: Place) -> sa.FromClause:
    if place.source.query is not None:
        # Colons are escaped: one would begin a bound parameter. The newline ends a comment of the query.
        query = f"({_statement(place.source.query)}\n) AS selfheal_data".replace(":", r"\:")
        return sa.text(query)  # type: ignore[return-value]
    schema, _, name = place.source.uri.removeprefix("sql://").rpartition(".")
    return sa.table(name, schema=schema or None)


def _statement(query: str) -> str:
    """Return a query without semicolons at its end, also where comments follow them.

    >>> _statement("SELECT a FROM t; -- done")
    'SELECT a FROM t'
    """
    tokens = [(token.lastgroup, token) for token in _TOKENS.finditer(query)]
    end = max((token.end() for kind, token in tokens if kind is None), default=len(query))
    return query[:end] if any(kind == "end" and token.start() >= end for kind, token in tokens) else query


def _names(connection: Connection, place: Place, source: sa.FromClause) -> list[str]:
    """Return the column names, by a query that returns no rows."""
    nothing = sa.select(sa.text("*")).select_from(source).where(sa.false())
    with connection.execute(nothing) as result:
        names = list(map(str, result.keys()))
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise place.unreadable(f"its column {twice!r} appears twice. Rename one, by AS.")
    return names


def _condition(
    connection: Connection, source: sa.FromClause, span: TimeSpan
) -> sa.ColumnElement[bool] | None:
    """Return the window as a condition; None for text timestamps, which only our own code can parse."""
    column: sa.ColumnElement[Any] = sa.column(span.column)
    example = sa.select(column).select_from(source).where(column.is_not(None)).limit(1)
    match connection.execute(example).scalar():
        case datetime() as found:
            after, until = (_like(found, bound) for bound in (span.after, span.until))
            return sa.and_(column > after, column <= until)
        case date():
            return sa.and_(column >= span.after.date(), column <= span.until.date())
        case bool():
            return None
        case int() | float() | Decimal() if span.pattern is None:
            bounds = [(unit, span.bounds(unit)) for unit in span.units]
            return sa.or_(*(sa.and_(column > low, column <= high) for _, (low, high) in bounds))
        case _:
            return None


def _like(example: datetime, bound: datetime) -> datetime:
    return bound if example.tzinfo else bound.astimezone(UTC).replace(tzinfo=None)


def _without_timestamp(connection: Connection, source: sa.FromClause, name: str) -> int:
    nulls = sa.select(sa.func.count()).select_from(source).where(sa.column(name).is_(None))
    return int(connection.execute(nulls).scalar_one())


def _batch(rows: Sequence[Any], names: Sequence[str]) -> pa.RecordBatch:
    columns = [_array([row[at] for row in rows]) for at in range(len(names))]
    return pa.RecordBatch.from_arrays(columns, names=list(names))


def _array(values: list[Any]) -> pa.Array:
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {Decimal} and all(value is None or _is_integer(value) for value in values):
        values, kinds = [None if value is None else int(value) for value in values], {int}
    convert = next((_CONVERTED[kind] for kind in kinds if kind in _CONVERTED), None)
    if convert is not None:
        values = [None if value is None else convert(value) for value in values]
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError):
        return _large_integers(values) if kinds == {int} else _mixed(values)


def _is_integer(value: Decimal) -> bool:
    """Return whether it is of a NUMERIC column without decimal places, such as NUMERIC(20)."""
    return value.is_finite() and value.as_tuple().exponent == 0


def _large_integers(values: list[Any]) -> pa.Array:
    """Return integers beyond 64 bits with a sign: without one, or as text, which does not round them."""
    try:
        return pa.array(values, pa.uint64())
    except (pa.ArrowException, OverflowError):
        return pa.array([None if value is None else str(value) for value in values], pa.string())


def _mixed(values: list[Any]) -> pa.Array:
    """Return numbers that fit no integer type as floats, and values without an Arrow type as binary."""
    try:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    except (TypeError, ValueError, OverflowError):
        return pa.array([None if value is None else repr(value).encode() for value in values], pa.binary())


def _utc(time: datetime) -> datetime:
    return time.astimezone(UTC) if time.tzinfo else time


_CONVERTED: Final[Mapping[type, Any]] = {
    Decimal: float,  # NUMERIC columns hold quantities here, not money to the cent
    datetime: _utc,
    uuid.UUID: str,
    memoryview: bytes,
}


def _types(place: Place, collector: Collector) -> dict[str, pa.DataType]:
    try:
        return collector.types_found()
    except pa.ArrowException as error:
        raise place.unreadable("a column holds values of types that do not fit together") from error
