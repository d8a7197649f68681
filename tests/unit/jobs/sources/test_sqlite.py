"""Databases in a file, which SQLite would create where there is none."""

import sqlite3
from pathlib import Path

import pytest

from selfheal_jobs.errors import DataError
from selfheal_jobs.sources.opening import open_table
from selfheal_jobs.sources.place import Place
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.dataset import DataSource


def place(query: str | None = None) -> Place:
    """Return the place of a table in the database that the Secret names, or of a query."""
    uri = "sql://" if query else "sql://t"
    source = DataSource.from_wire({"uri": uri, "query": query, "secretRef": {"name": "warehouse"}})
    return Place(source=source, field="spec.dataset.current.uri", env_prefix="SELFHEAL_CURRENT_")


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("churn.db", "sqlite:///{}/churn.db"),
        ("a b?mode=rwc#100%.db", "sqlite:///{}/a b%3Fmode=rwc#100%.db"),
        ("churn.db", "sqlite:///file:{}/churn.db?uri=true&mode=rwc"),
    ],
)
def test_a_database_in_a_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, url: str
) -> None:
    """Whatever characters its name has, and however the address is written."""
    with sqlite3.connect(tmp_path / name) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS a")
    monkeypatch.setenv("SELFHEAL_CURRENT_url", url.format(tmp_path))

    assert open_table(place()).column("a").to_pylist() == [1]


def test_a_missing_file_is_named_and_not_created(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A volume of data is not ours to write to."""
    missing = tmp_path / "churn.db"
    monkeypatch.setenv("SELFHEAL_CURRENT_url", f"sqlite:///{missing}")

    with pytest.raises(DataError) as caught:
        open_table(place())

    assert caught.value.reason is Reason.DATA_NOT_FOUND
    assert str(missing) in str(caught.value)
    assert not missing.exists()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT a FROM t) AS x; DELETE FROM t; SELECT * FROM (SELECT a FROM t",
        "SELECT a FROM t) AS x; CREATE TABLE made (a); SELECT * FROM (SELECT a FROM t",
        "SELECT a FROM t) AS x; ATTACH 'made.db' AS made; SELECT * FROM (SELECT a FROM t",
    ],
)
def test_a_query_is_one_statement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    """Python's driver takes no other one after it, and the file is opened to be read."""
    monkeypatch.chdir(tmp_path)
    with sqlite3.connect(tmp_path / "churn.db") as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS a")
    before = (tmp_path / "churn.db").read_bytes()
    monkeypatch.setenv("SELFHEAL_CURRENT_url", f"sqlite:///{tmp_path}/churn.db")

    with pytest.raises(DataError) as caught:
        open_table(place(query))

    assert caught.value.reason is Reason.DATA_UNREADABLE
    assert (tmp_path / "churn.db").read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["churn.db"]
