"""Which differences are explained, and which are not."""

from datetime import datetime
from typing import cast

import pytest

from crondiff.cases import whole_year
from crondiff.comparison import Cause, compare, our_slots
from crondiff.robfig import Question, Robfig
from crondiff.timezones import time_zone


class Faulty:
    """A library that agrees with us, but for one slot of one time zone; and perhaps also in UTC."""

    def __init__(self, fault: int, *, zone: str, faulty_in_utc: bool = False) -> None:
        self._fault = fault
        self._zone = zone
        self._faulty_in_utc = faulty_in_utc

    def slots(self, question: Question) -> list[int]:
        """Answer as we do, with one slot lost or added."""
        slots = set(our_slots(question))
        if question.time_zone == self._zone and question.after < self._fault <= question.until:
            slots ^= {self._fault}
        elif question.time_zone == "UTC" and self._faulty_in_utc:
            slots ^= {question.until}
        return sorted(slots)


def seconds(text: str, zone: str) -> int:
    """Return when a clock shows this."""
    return int(datetime.fromisoformat(text).replace(tzinfo=time_zone(zone)).timestamp())


@pytest.mark.parametrize(
    ("zone", "expression", "slot", "cause"),
    [
        ("Africa/Cairo", "0 5 * * *", "2026-04-24T05:00", Cause.NO_MIDNIGHT),
        ("Africa/Cairo", "0 5 * * *", "2026-04-26T05:00", None),
        ("Africa/Cairo", "0 5 1,20,30 * *", "2026-04-30T05:00", Cause.NO_MIDNIGHT),  # the way from the 20th
        ("Asia/Amman", "0 0 * * *", "2021-10-29T00:00", Cause.TWO_MIDNIGHTS),
        ("Australia/Lord_Howe", "0 5 * * *", "2026-10-04T05:00", Cause.WITHIN_AN_HOUR),
        ("Europe/Berlin", "0 5 * * *", "2026-03-29T05:00", None),  # from one full hour to another
        ("UTC", "0 5 * * *", "2026-03-29T05:00", None),
    ],
)
def test_a_difference_is_explained_by_a_change_that_leads_cronjob_astray(zone, expression, slot, cause):
    """And only if there was one on its way from the slot before."""
    year = int(slot[:4])
    library = Faulty(seconds(slot, zone), zone=zone)

    (found,) = compare(cast("Robfig", library), whole_year(zone, year, expression)).differences

    assert (found.slot, found.lost, found.cause) == (seconds(slot, zone), True, cause)


@pytest.mark.parametrize(("slot", "lost"), [("2026-04-24T05:00", True), ("2026-04-24T06:00", False)])
def test_a_difference_is_our_mistake_if_cronjob_insists_on_it_in_utc(slot, lost):
    """The clock has nothing to do with it, then, whatever day it is."""
    fault = seconds(slot, "Africa/Cairo")
    year = whole_year("Africa/Cairo", 2026, "0 5 * * *")

    (explained,) = compare(cast("Robfig", Faulty(fault, zone="Africa/Cairo")), year).differences
    insisting = Faulty(fault, zone="Africa/Cairo", faulty_in_utc=True)
    (unexplained,) = compare(cast("Robfig", insisting), year).differences

    assert (explained.lost, explained.cause) == (lost, Cause.NO_MIDNIGHT)
    assert (unexplained.lost, unexplained.cause) == (lost, None)
    assert "UNEXPLAINED" in str(unexplained)
