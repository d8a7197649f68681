import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from selfheal_jobs.check.column_facts import facts_of
from selfheal_jobs.columns.broken_feed import has_more_gaps, is_no_coincidence
from selfheal_jobs.columns.scan import Compared, read_column
from selfheal_jobs.retrain.data_objections import Feed, constant_columns
from selfheal_jobs.tables.table import ArrowTable
from selfheal_operator.api.reasons import Task
from selfheal_operator.api.v1alpha1.dataset import ColumnPolicy


@pytest.mark.parametrize(
    ("share", "rows", "expected"),
    [
        (0.5, 19, False),
        (0.5, 20, True),
        (0.001, 2, True),  # one in a million
        (0.0, 1, True),
        (1.0, 1_000_000, False),
    ],
)
def test_a_single_value_is_no_coincidence_from_one_in_a_million_on(
    share: float, rows: int, *, expected: bool
) -> None:
    """A value that the reference lacks never comes by chance."""
    assert is_no_coincidence(share=share, rows=rows) is expected


@pytest.mark.parametrize(("now", "expected"), [(0.25, False), (0.75, False), (0.76, True)])
def test_gaps_may_rise_by_the_limit(now: float, *, expected: bool) -> None:
    """On the boundary; and there may be fewer."""
    assert has_more_gaps(now, 0.25, 0.5) is expected


@settings(deadline=None)
@given(st.sampled_from([("a", "b"), (1.5, 2.5)]), st.integers(0, 40), st.integers(0, 40), st.integers(1, 40))
@example(("a", "b"), 38, 40, 40)  # the gaps are no other value
def test_checks_and_retrainings_agree_on_constant_columns(
    values: tuple[object, object], before: int, gaps: int, rows: int
) -> None:
    """The same columns, as Arrow's in a check and as pandas' in a retraining."""
    first, second = values
    reference = {"x": [first] * before + [second] * (40 - before) + [None] * gaps}
    current = {"x": [first] * rows}
    compared = read_column(
        "x", ArrowTable(pa.table(reference)), ArrowTable(pa.table(current)), ColumnPolicy()
    )
    feed = Feed(
        reference=pd.DataFrame(reference),
        current=pd.DataFrame(current),
        columns=("x",),
        target="y",
        task=Task.CLASSIFICATION,
        max_null_share=0.5,
    )

    if isinstance(compared, Compared):
        assert facts_of(compared).is_constant_by_fault is (constant_columns(feed) is not None)
