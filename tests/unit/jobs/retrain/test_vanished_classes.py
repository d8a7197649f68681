import pandas as pd
import pytest

from selfheal_jobs.retrain.vanished_classes import vanished_classes


def labels(**counts: int) -> pd.Series:
    """Return labels of classes with these counts."""
    return pd.Series([name for name, count in counts.items() for _ in range(count)], dtype="object")


@pytest.mark.parametrize(("rows", "vanished"), [(20, ()), (47, ()), (49, ("fraud",)), (400, ("fraud",))])
def test_a_class_has_vanished_where_chance_would_hardly_leave_it_out(
    rows: int, vanished: tuple[str, ...]
) -> None:
    """A quarter of the reference is missing among 48 rows once in a million times."""
    reference = labels(low=300, fraud=100)

    assert vanished_classes(reference, [labels(low=rows)], rows) == vanished


def test_a_rare_class_is_absent_by_chance() -> None:
    """One in a thousand."""
    assert vanished_classes(labels(low=999, fraud=1), [labels(low=400)], 400) == ()


def test_a_class_that_is_learnt_or_held_out_has_not_vanished() -> None:
    """The reference may be learnt from as well."""
    reference, current = labels(low=300, fraud=100), labels(low=400)

    assert vanished_classes(reference, [pd.concat([reference, current]), current], 400) == ()
    assert vanished_classes(reference, [current, labels(fraud=1)], 400) == ()


def test_classes_are_compared_as_words() -> None:
    """A gap elsewhere makes floats of numbers, and a gap is no class."""
    reference = pd.Series([1.0, 2.0, None] * 100)

    assert vanished_classes(reference, [pd.Series([1, 2] * 200)], 400) == ()
    assert vanished_classes(reference, [pd.Series([1, 3] * 200)], 400) == ("2",)
    assert vanished_classes(pd.Series([True, False] * 200), [pd.Series([1, 0] * 200)], 400) == ()
