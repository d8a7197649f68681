"""What the author of a query, or of a database's address, tries on a real PostgreSQL and on SQLite."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg

from database.postgres import PostgresServer
from siege.attack import Attack, Seen, UntriedError
from siege.ground import HOME, SECRET, Ground, secret
from siege.runs import End, check, new_name
from siege.stranger import stranger
from siege.tables import plain_spec, table
from testbed.program import free_port

_AUTHOR: Final = "whoever edits a monitor"
_OWNER: Final = "the owner of a Secret"
_COLUMNS: Final = "SELECT x, z, label FROM siege"
_NO_QUERY: Final = "does not understand the query"
_READ_ONLY: Final = "the database fails"
_LINK_LOCAL: Final = "link-local addresses and metadata servers are never read"


@contextmanager
def _server(_: Ground) -> Iterator[PostgresServer]:
    server = PostgresServer(port=free_port(), password=SECRET)
    try:
        server.start()
        with psycopg.connect(server.url, autocommit=True) as connection:
            _fill(connection)
        yield server
    finally:
        server.stop()


def _fill(connection: psycopg.Connection[Any]) -> None:
    connection.execute("CREATE TABLE siege (x float8, z float8, label text)")
    connection.execute("CREATE TABLE victim AS SELECT 1 AS a")
    connection.execute("CREATE SEQUENCE counted")
    connection.execute("CREATE FUNCTION written() RETURNS int LANGUAGE sql AS 'DELETE FROM victim; SELECT 1'")
    connection.execute(
        "CREATE FUNCTION lifted() RETURNS int LANGUAGE plpgsql AS "
        "$$ BEGIN SET TRANSACTION READ WRITE; DELETE FROM victim; RETURN 1; END $$"
    )
    rows = table(7).itertuples(index=False)
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO siege VALUES (%s, %s, %s)", list(rows))


def database(ground: Ground) -> PostgresServer:
    """Return a real PostgreSQL with a table to read, and one that must stay as it is."""
    return ground.server("PostgreSQL", _server)


def asked(ground: Ground, query: str | None, url: str = "", parameters: str = "", **more: Any) -> End:
    """Check what a query, or the table, of the database at a URL returns."""
    ground.apply(secret("warehouse", HOME, {"url": (url or database(ground).url) + parameters}))
    source: dict[str, Any] = {"uri": "sql://siege" if query is None else "sql://"}
    source |= {"secretRef": {"name": "warehouse"}} | ({"query": query} if query else {})
    return check(ground, plain_spec(ground, current=source), mlflow=stranger(ground).uri, **more)


def _reads(ground: Ground) -> bool:
    end = asked(ground, _COLUMNS)
    if end.outcome.get("result") != "NoDrift":
        raise UntriedError(f"a usual query fails: {end.said}")
    return True


def _state(ground: Ground) -> tuple[Any, ...]:
    """Return what a query could have changed, or left running."""
    with psycopg.connect(database(ground).url, autocommit=True) as connection:
        found = connection.execute(
            "SELECT (SELECT count(*) FROM victim), (SELECT count(*) FROM pg_class WHERE relname = 'made'), "
            "(SELECT is_called FROM counted), (SELECT count(*) FROM pg_roles WHERE rolname = 'intruder')"
        ).fetchone()
    return tuple(found or ())


def _queries(name: str, query: str, expected: str, **more: Any) -> Attack:
    """Return the attack of a query that writes."""

    def do(ground: Ground) -> Seen:
        ground.once("reads the database", _reads)
        mark, before = ground.folder / new_name("program"), _state(ground)
        end = asked(ground, query.replace("MARK", str(mark)), **more)
        changed = _state(ground) != before or mark.exists()
        if changed:
            _repair(ground)
        return _seen(end, changed=changed)

    return Attack(name, 5, _AUTHOR, do, expected)


def _repair(ground: Ground) -> None:
    with psycopg.connect(database(ground).url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS made")
        connection.execute("DROP ROLE IF EXISTS intruder")
        connection.execute("TRUNCATE victim")
        connection.execute("INSERT INTO victim VALUES (1)")
        connection.execute("SELECT setval('counted', 1, false)")


def _seen(end: End, *, changed: bool) -> Seen:
    leaked = SECRET in end.shown or "row-of-somebody" in end.shown
    got = f"{'changed; ' if changed else ''}{'secret shown; ' if leaked else ''}{end.said[:300]!a}"
    return Seen(got, succeeded=changed or leaked or not end.outcome or end.code != 0)


def _secrets(name: str, url: Callable[[Ground], str], expected: str) -> Attack:
    """Return the attack of a database's address."""

    def do(ground: Ground) -> Seen:
        ground.once("reads the database", _reads)
        end = asked(ground, None, url(ground))
        return _seen(end, changed=end.outcome.get("result") == "NoDrift")

    return Attack(name, 5, _OWNER, do, expected)


def _sqlite(ground: Ground, folder: str) -> str:
    """Make a database of SQLite, and return its path."""
    path = ground.folder / folder / f"{new_name('siege')}.db"
    path.parent.mkdir(exist_ok=True)
    connection = sqlite3.connect(path)
    with connection:
        table(7).to_sql("siege", connection, index=False)
        connection.execute("CREATE TABLE victim AS SELECT 1 AS a")
    connection.close()
    return str(path)


def _on_sqlite(name: str, query: str, expected: str) -> Attack:
    def do(ground: Ground) -> Seen:
        path = _sqlite(ground, "data")
        usual = asked(ground, _COLUMNS, f"sqlite:///{path}")
        if usual.outcome.get("result") != "NoDrift":
            raise UntriedError(f"a usual query fails: {usual.said}")
        end = asked(ground, query, f"sqlite:///{path}")
        connection = sqlite3.connect(path)
        found = connection.execute("SELECT count(*) FROM victim").fetchone()[0]
        connection.close()
        return _seen(end, changed=found != 1)

    return Attack(name, 5, _AUTHOR, do, expected)


def _never_ends(ground: Ground) -> Seen:
    """Ask what takes forever; the limit of hours is shortened."""
    ground.once("reads the database", _reads)
    end = asked(ground, "SELECT pg_sleep(600)::text AS x, 1 AS z, 'a' AS label", without=("sql-patience",))
    with psycopg.connect(database(ground).url, autocommit=True) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()"
        ).fetchone()
    running = bool(found and found[0])
    return _seen(end, changed=running)


_BREAKOUTS: Final = {
    "a COMMIT among several statements": (
        "SELECT x FROM siege) a; COMMIT; SET default_transaction_read_only = off; COMMIT; {0}; "
        "SELECT * FROM (TABLE siege"
    ),
    "a ROLLBACK and a transaction that writes": (
        "SELECT x FROM siege) a; ROLLBACK; BEGIN READ WRITE; {0}; COMMIT; SELECT * FROM (SELECT x FROM siege"
    ),
    "statements behind a comment": "SELECT x FROM siege) a /* ; */; END; BEGIN READ WRITE; {0}; COMMIT --",
    "statements behind a dollar quote": (
        "SELECT x FROM siege WHERE label = $a$;$a$) a; COMMIT; BEGIN READ WRITE; {0}; COMMIT; --"
    ),
}
_WRITES: Final = {
    "deleting": "DELETE FROM victim",
    "a program": "COPY (SELECT 1) TO PROGRAM 'touch MARK'",
    "a role": "CREATE ROLE intruder SUPERUSER LOGIN",
}

ATTACKS: Final = (
    *(
        _queries(f"{name}: {what}", query.format(statement), _NO_QUERY)
        for name, query in _BREAKOUTS.items()
        for what, statement in _WRITES.items()
    ),
    _queries("COPY TO PROGRAM as the query", "COPY (SELECT 1) TO PROGRAM 'touch MARK'", _NO_QUERY),
    _queries("a block of code", "DO $$ BEGIN DELETE FROM victim; END $$", _NO_QUERY),
    _queries(
        "a deletion that returns rows",
        "WITH d AS (DELETE FROM victim RETURNING a) SELECT a AS x FROM d",
        _READ_ONLY,
    ),
    _queries("a function that writes", "SELECT written() AS x", _READ_ONLY),
    _queries("a function that makes the transaction writable", "SELECT lifted() AS x", _READ_ONLY),
    _queries(
        "a setting that makes the transaction writable",
        "SELECT set_config('transaction_read_only', 'off', true) AS z, written() AS x",
        _READ_ONLY,
    ),
    _queries("a sequence", "SELECT nextval('counted') AS x", _READ_ONLY),
    _queries("rows that are locked", "SELECT x, z, label FROM siege FOR UPDATE", _READ_ONLY),
    _queries(
        "a query by a function that takes text",
        "SELECT query_to_xml('DELETE FROM victim', true, true, '')::text AS x",
        _READ_ONLY,
    ),
    _queries(
        "an error that quotes a row",
        "SELECT ('row-of-somebody ' || label)::int AS x FROM siege",
        _READ_ONLY,
    ),
    Attack("a query that never ends", 5, _AUTHOR, _never_ends, "does not answer in time"),
    _queries(
        "options of the address that make the transaction writable",
        "SELECT written() AS x",
        _READ_ONLY,
        parameters="?options=-c%20default_transaction_read_only%3Doff",
    ),
    _secrets(
        "a database at a link-local address", lambda _: "postgresql://a:b@169.254.169.254/db", _LINK_LOCAL
    ),
    _secrets(
        "a link-local address in a parameter",
        lambda g: f"{database(g).url}?hostaddr=169.254.169.254",
        _LINK_LOCAL,
    ),
    _secrets(
        "SQLite outside the volumes",
        lambda g: f"sqlite:///{_sqlite(g, 'outside')}",
        "no volume is mounted",
    ),
    _secrets(
        "SQLite outside the volumes, by a URI",
        lambda g: f"sqlite:///file:{_sqlite(g, 'outside')}?mode=rwc&uri=true",
        "no volume is mounted",
    ),
    _on_sqlite(
        "several statements on SQLite", "SELECT x FROM siege); DELETE FROM victim; SELECT (1", "current.uri"
    ),
    _on_sqlite("a deletion on SQLite", "DELETE FROM victim RETURNING a", "current.uri"),
    _on_sqlite("another database on SQLite", "ATTACH DATABASE '/tmp/siege.db' AS other", "current.uri"),
)
