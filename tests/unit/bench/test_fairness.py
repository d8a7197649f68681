from dataclasses import replace

import pytest

from selfheal_bench.lags import Lags
from selfheal_bench.schedule.fairness import IN_FLIGHT, Fairness


def lags(*seconds, **fields):
    """Return the lags of Jobs that all came."""
    return replace(Lags(due=len(seconds), seconds=seconds, limit_seconds=180.0), **fields)


def starts(first, count):
    """Return lags of so many Jobs, a second apart."""
    return lags(*(float(first + number) for number in range(count)))


@pytest.mark.parametrize(("others", "met"), [(2 + IN_FLIGHT, True), (3 + IN_FLIGHT, False)])
def test_a_namespace_has_its_share_with_every_other_start(others, met):
    """Besides those that were in flight: two of its own, and at most two others and those."""
    large = lags(*map(float, range(others)), 500.0, 501.0)

    fair = Fairness(alone=lags(0.1, 0.2), small=lags(0.5, 100.0), large=large)

    assert fair.starts == others + 2
    assert fair.met is met


@pytest.mark.parametrize("fields", [{"due": 451}, {"doubled": 1}])
def test_a_job_that_is_missing_or_doubled_misses_the_target_whoever_owed_it(fields):
    """Otherwise a large namespace that is not served would leave room for the small one."""
    few = starts(0, 50)
    many = lags(*map(float, range(100, 550)), **fields)

    assert Fairness(alone=few, small=few, large=starts(100, 450)).met
    assert not Fairness(alone=few, small=few, large=many).met


def test_without_turns_the_few_wait_as_long_as_all():
    """Their p99 is that of all Jobs."""
    fair = Fairness(alone=starts(0, 50), small=starts(0, 50), large=starts(50, 950))

    assert fair.first_come == 989.0
