"""Tables and queries of a database: a real PostgreSQL, and the driver that the image holds."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from database.postgres import PostgresServer
from selfheal_jobs.errors import DataError
from selfheal_jobs.retrain.frames import frame
from selfheal_jobs.sources.asked import Asked, ColumnChoice
from selfheal_jobs.sources.collector import Collector
from selfheal_jobs.sources.opening import open_table
from selfheal_jobs.sources.place import Place
from selfheal_jobs.sources.tables import SourceTable
from selfheal_jobs.sources.timespan import TimeSpan
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.dataset import DataSource, Window

SLOT = datetime(2026, 11, 23, 6, tzinfo=UTC)
SPAN = TimeSpan("ts", SLOT - timedelta(hours=1), SLOT)
MINUTES = (-61, -60, -59, -1, 0, 1)
"""Before the slot, on both sides of both bounds; the three in the middle and the slot itself count."""
INSIDE = [-59, -1, 0]


def place(uri: str, query: str | None = None, key: str | None = None) -> Place:
    """Return a place in the database; its Secret is called warehouse."""
    secret = {"name": "warehouse"} | ({"key": key} if key else {})
    source = DataSource.from_wire({"uri": uri, "query": query, "secretRef": secret})
    return Place(source=source, field="spec.dataset.current.uri", env_prefix="SELFHEAL_CURRENT_")


def opened(uri: str, query: str | None = None, **asked: Any) -> SourceTable:
    """Return the table at a place in the database."""
    return open_table(place(uri, query), Asked(**asked))


def refused(uri: str, query: str | None = None, **asked: Any) -> DataError:
    """Return the complaint about a place in the database."""
    with pytest.raises(DataError) as caught:
        opened(uri, query, **asked)
    return caught.value


@pytest.fixture
def database(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A connection to a database without tables; its URL is what the Secret holds."""
    monkeypatch.setenv("SELFHEAL_CURRENT_url", postgres.url)
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        yield connection.execute
        connection.execute("DROP SCHEMA public CASCADE")  # and what roles may do in it
        connection.execute("DROP SCHEMA IF EXISTS sales CASCADE")
        connection.execute("CREATE SCHEMA public")


def test_a_table_is_read_with_its_types(database: Any) -> None:
    """Numbers are numbers, NUMERIC among them; gaps are gaps; texts that look like numbers stay texts."""
    database("CREATE TABLE t (i int, n numeric(10,2), f float8, s text, b bool, d date, u uuid)")
    database("INSERT INTO t VALUES (1, 2.50, 0.5, '007', true, '2026-11-23', gen_random_uuid())")
    database("INSERT INTO t VALUES (NULL, NULL, 'NaN', NULL, NULL, NULL, NULL)")

    table = opened("sql://t")

    kinds = {field.name: str(field.type) for field in table.schema}
    assert kinds.pop("d") == "date32[day]"
    assert kinds == {
        "i": "int64", "n": "double", "f": "double", "s": "string", "b": "bool", "u": "string",
    }  # fmt: skip
    assert table.column("s").to_pylist() == ["007", None]
    assert table.column("n").to_pylist() == [2.5, None]


def test_integers_of_a_database_are_exact(database: Any) -> None:
    """NUMERIC without decimal places holds integers, in as many digits as it likes."""
    database("CREATE TABLE t (b bigint, n numeric(20), u numeric(20), t numeric(30), m numeric)")
    database(
        "INSERT INTO t VALUES (9007199254740993, 9007199254740993, 9223372036854775808, "
        "123456789012345678901234567890, 1.5), (NULL, NULL, NULL, NULL, 2)"
    )

    table = opened("sql://t")

    found = {name: (str(table.schema.field(name).type), *table.column(name).to_pylist()) for name in "bnutm"}
    assert found == {
        "b": ("int64", 9007199254740993, None),
        "n": ("int64", 9007199254740993, None),
        "u": ("uint64", 9223372036854775808, None),
        "t": ("string", "123456789012345678901234567890", None),
        "m": ("double", 1.5, 2.0),
    }


def test_integers_that_a_later_row_makes_floats_of_are_an_error(database: Any) -> None:
    """NUMERIC of any scale: the type is known at the end only, and would round the first rows."""
    database("CREATE TABLE t (n numeric)")
    database("INSERT INTO t SELECT 9007199254740993 FROM generate_series(1, 10000)")
    database("INSERT INTO t VALUES (0.5)")

    with pytest.raises(DataError, match="the column 'n' has values that the common type") as caught:
        frame(opened("sql://t"))

    assert caught.value.reason is Reason.DATA_UNREADABLE


@pytest.mark.parametrize(
    ("kind", "form", "written"),
    [
        ("int", "%Y%m%d", ["20261121", "20261123", "20261124", "NULL"]),
        ("numeric(8)", "%Y%m%d", ["20261121", "20261123", "20261124", "NULL"]),
        ("text", "%d.%m.%Y", ["'21.11.2026'", "'23.11.2026'", "'24.11.2026'", "'soon'"]),
        ("bigint", "ms", ["1795240800000", "1795413600000", "1795478400000", "NULL"]),
        ("date", "%Y%m%d", ["'2026-11-21'", "'2026-11-23'", "'2026-11-24'", "NULL"]),
    ],
)
def test_times_of_a_database_are_read_by_their_format(
    database: Any, kind: str, form: str, written: list[str]
) -> None:
    """What the database cannot compare is compared here."""
    database(f"CREATE TABLE t (ts {kind})")
    database(f"INSERT INTO t VALUES {', '.join(f'({time})' for time in written)}")
    window = Window(timestamp_column="ts", lookback_seconds=86_400, format=form)

    table = opened("sql://t", span=TimeSpan.of(window, SLOT))

    assert (table.rows.kept, table.rows.without_timestamp) == (1, 1)


def test_a_schema_and_a_query_name_what_is_read(database: Any) -> None:
    """A query may hold colons, percent signs and a semicolon: nothing of it is taken for a parameter."""
    database("CREATE SCHEMA sales")
    database("CREATE TABLE sales.churn (a int, s text)")
    database("INSERT INTO sales.churn VALUES (1, 'x:y'), (2, '10%'), (3, 'z')")
    query = "SELECT a::bigint AS a FROM sales.churn WHERE s = 'x:y' OR s LIKE '10%' ORDER BY a;"

    assert opened("sql://sales.churn").num_rows == 3
    assert opened("sql://", query).column("a").to_pylist() == [1, 2]


@pytest.mark.parametrize(
    ("kind", "values", "read"),
    [
        ("date", ("infinity", "-infinity", "10000-01-01", "0001-01-01 BC"), date(2026, 11, 23)),
        ("timestamp", ("infinity", "-infinity", "10000-01-01", "0001-01-01 BC"), datetime(2026, 11, 23)),  # noqa: DTZ001
        ("timestamptz", ("infinity", "-infinity", "10000-01-01 00:00Z"), datetime(2026, 11, 23, tzinfo=UTC)),
        ("time", ("24:00",), time(0, 0)),
    ],
)
def test_a_time_that_python_cannot_represent_is_a_gap(
    database: Any, kind: str, values: tuple[str, ...], read: Any
) -> None:
    """One row that is valid forever does not fail the table."""
    database(f"CREATE TABLE t (a int, v {kind})")
    for value in (*values, "2026-11-23 00:00Z" if kind != "time" else "00:00"):
        database(f"INSERT INTO t VALUES (1, '{value}')")

    assert opened("sql://t").column("v").to_pylist() == [*[None] * len(values), read]


def test_a_row_that_is_valid_forever_is_in_no_window(database: Any) -> None:
    """The window is still a condition of the query, or filters what arrives."""
    database("CREATE TABLE t (a int, ts timestamptz)")
    database("INSERT INTO t VALUES (1, 'infinity'), (2, '2026-11-23 05:30Z'), (3, '-infinity')")

    assert opened("sql://t", span=SPAN).column("a").to_pylist() == [2]


def test_a_char_is_read_without_its_padding(database: Any) -> None:
    """Trailing blanks of char(n) are no part of its value: in Parquet the same value has none."""
    database("CREATE TABLE t (c char(8), v varchar(8), a char(3)[])")
    database("INSERT INTO t VALUES ('pro', 'pro ', '{x}'), ('', '', NULL), (NULL, NULL, NULL)")

    table = opened("sql://t")

    assert table.column("c").to_pylist() == ["pro", "", None]
    assert table.column("v").to_pylist() == ["pro ", "", None]
    assert table.column("a").to_pylist() == [["x"], None, None]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT a FROM t -- all of it",
        "SELECT a FROM t; -- all of it",
        "SELECT a FROM t ;\n-- done\n/* really; done */ ;\n",
        "SELECT a FROM t; -- done; really",
        "SELECT a FROM t WHERE s = ';--' -- it's ';",
        """SELECT a FROM t WHERE s = $x$;--$x$ AND s = E';-\\x2d' AND ';--' IN (s)""",
        """SELECT a FROM (SELECT a, s AS "s;--" FROM t) AS q WHERE "s;--" = ';--'""",
    ],
)
def test_a_query_may_end_in_a_comment(database: Any, query: str) -> None:
    """Of what follows the statement nothing reaches the database; what a literal holds stays."""
    database("CREATE TABLE t (a int, s text)")
    database("INSERT INTO t VALUES (1, ';--')")

    assert opened("sql://", query).column("a").to_pylist() == [1]


def test_only_the_columns_that_are_asked_for_are_selected(database: Any) -> None:
    """A role that may read one column only can serve a monitor that asks for no other."""
    database("CREATE TABLE t (a int, secret text)")
    database("INSERT INTO t VALUES (1, 'x')")

    assert opened("sql://t", columns=ColumnChoice(without=frozenset({"secret"}))).schema.names == ["a"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("timestamptz", "timestamptz '2026-11-23 06:00Z' + m * interval '1 minute'"),
        ("timestamp", "timestamp '2026-11-23 06:00' + m * interval '1 minute'"),
        ("bigint", "1795413600 + m * 60"),
        ("bigint", "(1795413600 + m * 60) * 1000::bigint"),
        ("bigint", "(1795413600 + m * 60) * 1000000000::bigint"),
        ("float8", "1795413600.0 + m * 60"),
    ],
)
def test_the_window_is_a_condition_of_the_query(
    database: Any, kind: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows outside never leave the database, and those without a timestamp are counted there."""
    database(f"CREATE TABLE t (m int, ts {kind})")
    database(f"INSERT INTO t SELECT m, {value} FROM unnest(%s::int[]) AS m", [list(MINUTES)])
    database("INSERT INTO t VALUES (99, NULL), (99, NULL)")

    arrived: list[int] = []
    really = Collector.add

    def add(self: Collector, batch: pa.RecordBatch) -> None:
        arrived.append(batch.num_rows)
        really(self, batch)

    monkeypatch.setattr(Collector, "add", add)
    table = opened("sql://t", span=SPAN)

    assert table.column("m").to_pylist() == INSIDE
    assert sum(arrived) == len(INSIDE)
    assert table.rows.without_timestamp == 2


@pytest.mark.parametrize(
    ("kind", "spelt", "inside"),
    [
        (
            "text",
            "to_char(timestamp '2026-11-23 06:00' + m * interval '1 minute', 'YYYY-MM-DD\"T\"HH24:MI')",
            INSIDE,
        ),
        ("date", "date '2026-11-23' + CASE WHEN m = 1 THEN 1 ELSE m END", []),
    ],
)
def test_what_no_condition_can_tell_is_told_by_us(
    database: Any, kind: str, spelt: str, inside: list[int]
) -> None:
    """Texts arrive whole; a date is its midnight, which is not in a window of an hour before six."""
    database(f"CREATE TABLE t (m int, ts {kind})")
    database(f"INSERT INTO t SELECT m, {spelt} FROM unnest(%s::int[]) AS m", [list(MINUTES)])

    assert opened("sql://t", span=SPAN).column("m").to_pylist() == inside


def test_a_sample_is_the_same_again(database: Any) -> None:
    """By the slot's seed, although no ORDER BY says in which order rows come."""
    database("CREATE TABLE t AS SELECT g AS a FROM generate_series(1, 30000) AS g")

    first, again, other = (opened("sql://t", max_rows=1000, seed=seed) for seed in (1, 1, 2))

    assert (first.num_rows, first.rows.counted, first.rows.sampled) == (1000, 30000, True)
    assert first.column("a").equals(again.column("a"))
    assert not first.column("a").equals(other.column("a"))


def test_an_empty_table_is_a_table_without_rows(database: Any) -> None:
    """That there is nothing in it is for the check to judge."""
    database("CREATE TABLE t (a int)")

    assert len(frame(opened("sql://t"))) == 0


@pytest.mark.parametrize(
    ("uri", "query", "reason", "said"),
    [
        ("sql://nothing", None, Reason.DATA_NOT_FOUND, "no such table"),
        ("sql://nowhere.nothing", None, Reason.DATA_NOT_FOUND, "no such table"),
        ("sql://", "SELECT nothing FROM t", Reason.COLUMN_MISSING, "no such column"),
        ("sql://", "SELECT a, a FROM t", Reason.DATA_UNREADABLE, "appears twice"),
        ("sql://", "SELEKT a FROM t", Reason.DATA_UNREADABLE, "does not understand the query"),
        ("sql://", "SELECT 1/0 AS a", Reason.DATA_UNREADABLE, "the database fails"),
        ("sql://", "DELETE FROM t RETURNING a", Reason.DATA_UNREADABLE, "does not understand the query"),
    ],
)
def test_what_a_database_lacks_is_told_in_our_words(
    database: Any, uri: str, query: str | None, reason: Reason, said: str
) -> None:
    """And no query writes: what it may be is a part of a SELECT."""
    database("CREATE TABLE t (a int)")
    database("INSERT INTO t VALUES (1)")

    error = refused(uri, query)

    assert (error.reason, said in str(error)) == (reason, True), str(error)
    assert str(error).startswith("spec.dataset.current.uri: ")


def test_a_query_cannot_write(database: Any) -> None:
    """Not even by a function that writes: the transaction is read-only."""
    database("CREATE TABLE t (a int)")
    database("CREATE FUNCTION w() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (1) RETURNING a'")

    assert refused("sql://", "SELECT w() AS a").reason is Reason.DATA_UNREADABLE
    assert database("SELECT count(*) FROM t").fetchone() == (0,)


_BREAKOUTS = (
    "SELECT a FROM t) x; COMMIT; SET default_transaction_read_only = off; {0}; SELECT * FROM (TABLE t",
    "SELECT a FROM t) x; ROLLBACK; BEGIN READ WRITE; {0}; COMMIT; SELECT * FROM (SELECT a FROM t",
    "SELECT a FROM t) x; END; START TRANSACTION READ WRITE; {0}; COMMIT --",
)


@pytest.mark.parametrize("statement", ["DELETE FROM t", "CREATE TABLE made AS SELECT 1 AS a"])
@pytest.mark.parametrize("query", _BREAKOUTS)
@pytest.mark.parametrize("span", [None, SPAN])
def test_a_query_is_one_statement(database: Any, query: str, statement: str, span: TimeSpan | None) -> None:
    """A second one could end the read-only transaction and write in another one."""
    database("CREATE TABLE t AS SELECT 1 AS a, now() AS ts")

    error = refused("sql://", query.format(statement), span=span)

    assert (error.reason, "does not understand the query" in str(error)) == (Reason.DATA_UNREADABLE, True)
    assert database("SELECT count(*) FROM t").fetchone() == (1,)
    assert database("SELECT to_regclass('made')").fetchone() == (None,)


def test_every_statement_is_sent_by_itself(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's simple protocol takes several statements at once; we never use it after the login."""
    database("CREATE TABLE t (a int, ts timestamptz)")
    database("INSERT INTO t VALUES (1, '2026-11-23 05:30Z'), (2, NULL)")
    sent: list[str] = []
    really = psycopg.Cursor._execute_send

    def execute_send(self: Any, query: Any, **options: Any) -> None:
        if not (options.get("force_extended") or query.params):
            sent.append(query.query.decode())
        really(self, query, **options)

    monkeypatch.setattr(psycopg.Cursor, "_execute_send", execute_send)

    assert opened("sql://", "SELECT a, ts FROM t", span=SPAN).rows.without_timestamp == 1
    assert [each for each in sent if "FROM t" in each] == []


def test_the_secret_does_not_make_the_transaction_writable(
    database: Any, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Options in the URL do not replace ours."""
    database("CREATE TABLE t AS SELECT 1 AS a")
    database("CREATE FUNCTION w() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (1) RETURNING a'")
    monkeypatch.setenv(
        "SELFHEAL_CURRENT_url", f"{postgres.url}?options=-c%20default_transaction_read_only%3Doff"
    )

    assert refused("sql://", "SELECT w() AS a").reason is Reason.DATA_UNREADABLE
    assert database("SELECT count(*) FROM t").fetchone() == (1,)


@pytest.mark.parametrize(
    "escape",
    [
        "set_config('transaction_read_only', 'off', true)",
        "set_config('default_transaction_read_only', 'off', false)",
    ],
)
def test_a_function_does_not_lift_the_transactions_limits(database: Any, escape: str) -> None:
    """A transaction that has read stays read-only, and no other one follows it."""
    database("CREATE TABLE t AS SELECT 1 AS a")
    database("CREATE FUNCTION w() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (1) RETURNING a'")

    assert refused("sql://", f"SELECT {escape} AS s, w() AS a").reason is Reason.DATA_UNREADABLE
    assert database("SELECT count(*) FROM t").fetchone() == (1,)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("pa55-of-postgres", "another-pa55"), (Reason.DATA_ACCESS_DENIED, "refuses the user")),
        (("postgres:pa55", "nobody-here:pa55"), (Reason.DATA_ACCESS_DENIED, "refuses the user")),
        (("/postgres$", "/elsewhere"), (Reason.DATA_NOT_FOUND, "no such database")),
        ((r"127\.0\.0\.1", "no.such.host.invalid"), (Reason.DATA_UNREACHABLE, "no such host")),
        (("postgresql://", "mysql://"), (Reason.DATA_UNREADABLE, "no driver for mysql")),
        (("postgresql://", "nosuchsql://"), (Reason.DATA_UNREADABLE, "no driver for nosuchsql")),
        (("postgresql://", ""), (Reason.DATA_ACCESS_DENIED, "is no database URL")),
    ],
)
def test_a_url_that_leads_nowhere_is_told_without_its_password(
    database: Any,
    postgres: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
    change: tuple[str, str],
    told: tuple[Reason, str],
) -> None:
    """Neither the sentence nor what a log would show of its causes holds what the Secret holds."""
    monkeypatch.setenv("SELFHEAL_CURRENT_url", re.sub(*change, postgres.url))

    error = refused("sql://t")

    assert (error.reason, told[1] in str(error)) == (told[0], True), str(error)
    assert "pa55" not in str(error)
    assert error.__suppress_context__


def test_a_database_that_is_not_there_is_unreachable(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens at the port."""
    monkeypatch.setenv("SELFHEAL_CURRENT_url", "postgresql://ann:pa55@127.0.0.1:9/db")

    assert refused("sql://t").reason is Reason.DATA_UNREACHABLE


def test_a_table_that_the_user_may_not_read_is_denied(
    database: Any, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Secret's owner has to be let in, or another Secret named."""
    database("CREATE TABLE t (a int)")
    database("DROP ROLE IF EXISTS ann")
    database("CREATE ROLE ann LOGIN PASSWORD 'anns-pa55'")
    database("GRANT USAGE ON SCHEMA public TO ann")
    monkeypatch.setenv(
        "SELFHEAL_CURRENT_url", postgres.url.replace("postgres:pa55-of-postgres", "ann:anns-pa55")
    )

    assert refused("sql://t").reason is Reason.DATA_ACCESS_DENIED


def test_the_url_is_under_the_key_that_the_spec_names(
    database: Any, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Operators for databases make Secrets with keys of their own."""
    database("CREATE TABLE t (a int)")
    monkeypatch.delenv("SELFHEAL_CURRENT_url")
    monkeypatch.setenv("SELFHEAL_CURRENT_uri", postgres.url)

    assert open_table(place("sql://t", key="uri")).schema.names == ["a"]
    assert "no key url" in str(refused("sql://t"))


def test_rows_are_streamed(database: Any) -> None:
    """A million rows of eight columns, 64 MB as numbers and ten times that as Python's, in 256 MiB."""
    numbers = ", ".join(f"g + {number} AS c{number}" for number in range(8))
    database(f"CREATE VIEW wide AS SELECT {numbers} FROM generate_series(1, 1000000) AS g")
    script = Path(__file__).resolve().parents[2] / "support/processes/reading_process.py"

    run = subprocess.run(
        [sys.executable, str(script), "sql://wide", "10000"], capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout.splitlines()[-1])
    assert (told["rows"], told["kept"]) == (1_000_000, 10_000)
    assert told["mib"] <= 256


def test_a_statement_ends_although_nobody_waits_for_it(database: Any) -> None:
    """The server works on for as long as it likes where only the client has ended."""
    assert database("SELECT 1").fetchone() == (1,)

    found = opened("sql://", "SELECT current_setting('statement_timeout') AS t")

    assert found.column("t").to_pylist() == ["6h"]
