from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from selfheal_operator.api.reasons import Purpose
from selfheal_operator.metrics.active_jobs import OTHERS, active_jobs
from selfheal_operator.metrics.pulled import Values

CHECK, RETRAIN, PROMOTE = Purpose


def counted(checks: Mapping[str, int], retrainings: Mapping[str, int] = {}, most: int = 2) -> Values:
    """Return the values for these active Jobs, without those that are 0."""
    values = active_jobs({CHECK: checks, RETRAIN: retrainings, PROMOTE: {}}.__getitem__, most)
    return {labels: value for labels, value in values.items() if value}


def test_jobs_are_counted_by_namespace_and_purpose():
    """A namespace without Jobs of a purpose has no series of it."""
    assert counted({"a": 2}, {"a": 1, "b": 3}) == {
        ("a", "Check"): 2,
        ("a", "Retrain"): 1,
        ("b", "Retrain"): 3,
    }


def test_only_the_busiest_namespaces_are_named():
    """By both purposes together; the others are counted as one."""
    assert counted({"a": 1, "b": 2, "c": 3}, {"a": 9}) == {
        ("a", "Check"): 1,
        ("a", "Retrain"): 9,
        ("c", "Check"): 3,
        (OTHERS, "Check"): 2,
    }


def test_of_equally_busy_namespaces_always_the_same_are_named():
    """Series that come and go at random would make every graph a comb."""
    assert counted({"c": 1, "b": 1, "a": 1}) == counted({"a": 1, "c": 1, "b": 1})


def test_no_jobs_are_counted_as_none():
    """A sum over no series at all would be nothing, and no alert could be made of it."""
    values = active_jobs({CHECK: {}, RETRAIN: {}, PROMOTE: {}}.__getitem__)

    assert values == {(OTHERS, purpose): 0 for purpose in ("Check", "Retrain", "Promote")}


COUNTS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 5))


@given(COUNTS, COUNTS, st.integers(0, 4))
def test_no_job_is_lost_and_no_label_is_too_many(checks, retrainings, most):
    """Whatever runs, the sums are right, and the number of series is bounded."""
    values = active_jobs({CHECK: checks, RETRAIN: retrainings, PROMOTE: {}}.__getitem__, most)
    for purpose, counts in ((CHECK, checks), (RETRAIN, retrainings)):
        assert sum(value for labels, value in values.items() if labels[1] == purpose) == sum(counts.values())
    assert len({namespace for namespace, _ in values}) <= most + 1
