import re

from hypothesis import given
from hypothesis import strategies as st
from mlflow.utils.validation import _validate_metric_name

from selfheal_jobs.tracking.metric_keys import column_keys

names = st.lists(st.text(max_size=400), unique=True, max_size=20)


@given(names)
def test_every_column_has_a_key_of_its_own_that_mlflow_takes(columns: list[str]) -> None:
    """Whatever columns are called: keys differ even where case does not count, and MLflow accepts them."""
    keys = column_keys(columns)

    assert list(keys) == columns
    assert len({key.lower() for key in keys.values()}) == len(columns)
    for key in keys.values():
        _validate_metric_name(f"threshold/{key}")


@given(st.lists(st.from_regex(re.compile(r"[A-Za-z0-9_]{1,50}"), fullmatch=True), unique_by=str.lower))
def test_ordinary_names_stay_as_they_are(columns: list[str]) -> None:
    """A key is the column's name wherever that is possible."""
    assert column_keys(columns) == {name: name for name in columns}
