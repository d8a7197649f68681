from datetime import UTC, datetime

import pytest

from selfheal_bench.schedule.crowd import Crowd, whole_minute_after

SLOT = datetime(2026, 11, 24, 23, 7, tzinfo=UTC)
MINUTE = int(SLOT.timestamp()) // 60


@pytest.mark.parametrize(
    ("job", "source"),
    [
        (f"due-m00001-{MINUTE}", "due-m00001"),
        (f"due-m00001-check-{MINUTE}", "due-m00001-check"),
        (f"due-m00001-{MINUTE + 1}", None),
        (f"due-m00001{MINUTE}", None),
    ],
)
def test_only_jobs_of_the_minute_count(job, source):
    """Both controllers name a Job after the minute it is due; a Job of another minute is none of this run."""
    assert Crowd(1, SLOT).source_of(job) == source


@pytest.mark.parametrize(
    ("second", "microsecond", "minute"), [(0, 0, 7), (0, 1, 8), (1, 0, 8), (59, 999999, 8)]
)
def test_the_next_whole_minute_is_not_earlier(second, microsecond, minute):
    """A whole minute is its own; anything after it is the next one's."""
    time = SLOT.replace(second=second, microsecond=microsecond)

    assert whole_minute_after(time) == SLOT.replace(minute=minute)
