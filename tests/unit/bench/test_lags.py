import pytest

from selfheal_bench.lags import Lags


def lags(*seconds: float, due: int, limit_seconds: float = 60.0) -> Lags:
    """Lags of Jobs that came once each, and of those that did not."""
    return Lags.of(
        {str(number): [each] for number, each in enumerate(seconds)}, due=due, limit_seconds=limit_seconds
    )


@pytest.mark.parametrize(
    ("percent", "expected"), [(1, 1.0), (50, 2.0), (50.1, 3.0), (75, 3.0), (76, 60.0), (100, 60.0)]
)
def test_a_job_that_did_not_come_counts_with_the_limit(percent, expected):
    """Three of four Jobs came: the last quarter of the percentiles is the limit, not the slowest Job."""
    assert lags(3.0, 1.0, 2.0, due=4).percentile(percent) == expected


def test_the_hundredth_percentile_is_the_slowest_of_all():
    """When all came, no percentile is beyond the slowest."""
    assert lags(*(float(number) for number in range(1, 101)), due=100).percentile(99) == 99.0
    assert lags(*(float(number) for number in range(1, 101)), due=100).percentile(100) == 100.0


def test_a_second_job_for_the_same_slot_is_doubled_and_does_not_change_the_lag():
    """The first Job is the one that was due; whatever comes after it is counted apart."""
    both = Lags.of({"a": [5.0, 1.0], "b": [2.0]}, due=2, limit_seconds=60.0)

    assert (both.seconds, both.doubled, both.missed) == ((1.0, 2.0), 1, 0)


def test_nothing_came():
    """Everything is missed, and every percentile is the limit."""
    none = Lags.of({}, due=3, limit_seconds=60.0)

    assert (none.missed, none.percentile(50)) == (3, 60.0)
