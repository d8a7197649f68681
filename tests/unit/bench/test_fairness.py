from selfheal_bench.lags import Lags
from selfheal_bench.schedule.fairness import IN_FLIGHT, Fairness


def lags(count, each, **fields):
    """Return lags that grow by the same time."""
    seconds = tuple(each * (number + 1) for number in range(count))
    return Lags(**{"due": count, "seconds": seconds, "limit_seconds": 180.0} | fields)


def test_a_namespace_that_waits_for_its_turns_only_has_its_share():
    """Every other start is its own, after those that were in flight."""
    alone, large = lags(50, 0.01), lags(450, 0.01)
    in_flight = IN_FLIGHT * 450 * 0.01 / 500

    assert Fairness(alone=alone, small=lags(50, 0.02), large=large).met
    longest = lags(50, 0.01, seconds=(*[0.1] * 49, 2 * 0.5 + in_flight))
    assert Fairness(alone=alone, small=longest, large=large).met
    longer = lags(50, 0.01, seconds=(*[0.1] * 49, 2 * 0.5 + in_flight + 0.01))
    assert not Fairness(alone=alone, small=longer, large=large).met


def test_a_job_that_never_came_misses_the_target_whoever_owed_it():
    """Otherwise a large namespace that is not served would leave room for the small one."""
    few, many = lags(50, 0.01), lags(450, 0.01)
    missing = lags(450, 0.01, due=451)

    assert not Fairness(alone=few, small=few, large=missing).met
    assert not Fairness(alone=few, small=few, large=lags(450, 0.01, doubled=1)).met
    assert Fairness(alone=few, small=few, large=many).met


def test_who_comes_first_is_served_first_without_turns():
    """A namespace of few then waits as long as all others."""
    fair = Fairness(alone=lags(50, 0.01), small=lags(50, 0.01), large=lags(950, 0.01))

    assert fair.first_come == fair.large.percentile(100 - 100 * 10 / 950)
