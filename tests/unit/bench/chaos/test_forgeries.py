"""A forgery excuses what `chaos.promises` says, and nothing else: a run with forgeries finds what is lost."""

from datetime import UTC, datetime

import pytest

from chaos.forgeries import Forged, Forgery, line_of
from chaos.plan import plan_faults
from selfheal_operator.api.v1alpha1.status import ModelMonitorStatus
from support.builders.chaos_records import audited, check, forged, retraining, slot, told
from support.builders.objects import NOON, last_check, monitor_body

FAR = datetime(9999, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("field", ["last_schedule_time", "next_check_time"])
def test_a_forged_time_accounts_for_no_slot(field):
    """The first status without it accounts for all, as if nothing had been forged."""
    before = told(11, 1)
    false, note = forged(12, before, **{field: FAR})
    after = told(21, 3)

    assert audited([check(1, 10), check(2, 13), check(3, 20)], [before, false, after], forged=[note]).clean
    assert len(audited([check(1, 10), check(3, 20)], [before, false, after], forged=[note]).lost) == 1


def test_slots_that_count_as_started_by_a_forged_time_may_have_no_job():
    """Those after it, and those before the forgery, may not."""
    before = told(11, 1)
    false, note = forged(12, before, last_schedule_time=slot(4))
    first, sixth = check(1, 10), check(6, 20)

    assert audited([first, check(5, 15), sixth], [before, false, told(21, 6)], forged=[note]).clean
    assert len(audited([first, sixth], [before, false, told(21, 6)], forged=[note]).lost) == 1


def test_missed_slots_are_counted_from_the_forged_number():
    """A million more does not cover a slot that is lost."""
    before = told(11, 1)
    false, note = forged(12, before, missed_checks=1_000_000)
    jobs = [check(1, 10), check(3, 20)]

    found = audited(jobs, [before, false, told(21, 3, missed=1_000_001)], forged=[note])
    assert found.clean
    assert found.missed == 1
    assert len(audited(jobs, [before, false, told(21, 3, missed=1_000_000)], forged=[note]).lost) == 1


def test_a_mended_time_may_be_older_than_the_one_before_the_forgery():
    """It comes from the Jobs, and a slot that was passed over has none."""
    passed = told(11, 2, missed=1)
    false, note = forged(12, passed, last_schedule_time=FAR)
    versions = [passed, false, told(13, 1, missed=1)]

    assert audited([check(1, 10)], versions, forged=[note]).clean
    assert len(audited([check(1, 10)], [passed, told(13, 1, missed=1)]).broken) == 1


def test_a_forged_count_of_retrainings_excuses_no_gap():
    """The Jobs have the numbers."""
    before = told(11, 1, retraining={"count": 1})
    false, note = forged(12, before, retraining={"count": 999_999_999})
    after = told(31, 2, retraining={"count": 2})
    first = retraining(1, 5, answers=1)

    checks = [check(1, 4), check(2, 14)]
    assert audited(
        [*checks, first, retraining(2, 30, answers=2)], [before, false, after], forged=[note]
    ).clean
    found = audited([*checks, first, retraining(3, 30, answers=2)], [before, false, after], forged=[note])
    assert len(found.broken) == 1


@pytest.mark.parametrize(
    "fields", [{"last_schedule_time": FAR}, {"next_check_time": FAR}, {"retraining": {"count": 999_999_999}}]
)
def test_what_is_forged_must_not_stay(fields):
    """All operators were healthy for a while in the end."""
    before = told(11, 1)
    false, note = forged(12, before, **fields)

    found = audited([check(1, 10)], [before, false], end=slot(1), forged=[note])

    assert any("still there" in sentence for sentence in found.lost)


def test_a_forged_report_does_not_end_a_check():
    """It is odd that another one starts beside it, whoever says that it has reported."""
    before = told(11, 1)
    false, note = forged(12, before, last_check=last_check(FAR))
    jobs = [check(1, 10, finished_version=30), check(2, 20)]

    assert len(audited(jobs, [before, false, told(40, 2)], forged=[note]).oddities) == 1


@pytest.mark.parametrize("forgery", Forgery)
def test_each_forgery_is_a_status_that_can_be_read_and_noted(forgery):
    """The record of a run is audited from its files."""
    body = monitor_body()
    patch = forgery.patch(body, NOON)

    note = Forged.from_line(line_of(body, body, patch))

    assert note.fields == ModelMonitorStatus.from_wire(patch)
    assert note.fields != ModelMonitorStatus()


def test_a_full_list_has_each_forgery():
    """Of a thousand faults some eighty are forgeries, of a dozen kinds."""
    kinds = {
        fault.choice // 7 % len(Forgery)
        for fault in plan_faults(1, 1000)
        if fault.kind.name == "FORGED_STATUS"
    }

    assert len(kinds) == len(Forgery)
