import pyarrow.parquet as pq

from selfheal_bench.check.tables import SIZES, write_tables


def test_the_sizes_are_those_that_the_readme_tells():
    """Rows and columns of each side."""
    assert {name: (size.rows, size.columns) for name, size in SIZES.items()} == {
        "S": (500, 6),
        "M": (100_000, 6),
        "L": (1_000_000, 20),
        "W": (100_000, 100),
    }


def test_both_sides_are_the_same_in_every_run(tmp_path):
    """Verdicts and figures of two runs can be compared only if their data is the same."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    one, other = write_tables(first, SIZES["S"]), write_tables(second, SIZES["S"])

    assert pq.read_table(one.reference).equals(pq.read_table(other.reference))
    assert pq.read_table(one.current).equals(pq.read_table(other.current))
    assert not pq.read_table(one.reference).equals(pq.read_table(one.current))


def test_with_drift_every_column_of_the_current_side_differs_and_the_reference_stays(tmp_path):
    """The work of both cases differs in nothing but the drift."""
    plain, drifted = tmp_path / "plain", tmp_path / "drifted"
    plain.mkdir()
    drifted.mkdir()
    one, other = write_tables(plain, SIZES["S"]), write_tables(drifted, SIZES["S"], drifted=True)

    assert pq.read_table(one.reference).equals(pq.read_table(other.reference))
    before, now = pq.read_table(one.current), pq.read_table(other.current)
    assert not [name for name in before.column_names if before[name].equals(now[name])]
    assert before.schema == now.schema
