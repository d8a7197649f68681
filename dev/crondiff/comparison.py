"""Compares our slots with CronJob's, and finds which differences are bugs of CronJob.

robfig/cron searches the next slot field by field, from the start of the day. Some changes of the UTC offset
on the way make it skip slots, or return times that are none. A difference is its bug if there was such a
change on the way, and if it agrees with us without the change: for the same wall time in UTC, it returns what
we return for the time in the zone.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from crondiff.robfig import Question, Robfig
from crondiff.timezones import DAY, Change, changes, time_zone
from selfheal_operator.core.cron import parse


class Cause(StrEnum):
    """The kind of offset change that causes CronJob's bug."""

    NO_MIDNIGHT = "a day without midnight"
    TWO_MIDNIGHTS = "a day with two midnights"
    WITHIN_AN_HOUR = "a change within an hour"


@dataclass(frozen=True, slots=True)
class Difference:
    """A slot that only one side has."""

    question: Question
    slot: int
    lost: bool
    """Whether CronJob has lost a slot that we have; otherwise it has added one."""
    cause: Cause | None
    """None: this one is our mistake."""

    def __str__(self) -> str:
        """Say it in one line."""
        asked = self.question
        clock = datetime.fromtimestamp(self.slot, time_zone(asked.time_zone))
        verb = "loses" if self.lost else "adds"
        said = f"{asked.time_zone}, {asked.schedule!r}: CronJob {verb} {clock:%a %Y-%m-%d %H:%M%z}"
        return f"{said} ({self.cause or 'UNEXPLAINED'})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answers to one question, compared."""

    question: Question
    slots: int
    """How many there are on either side."""
    differences: tuple[Difference, ...]


def compare(robfig: Robfig, question: Question) -> Comparison:
    """Ask both sides.

    Raises:
        RefusedError: if CronJob does not take the expression.
        CronError: if we do not.
    """
    ours, theirs = set(our_slots(question)), robfig.slots(question)
    differences = tuple(
        Difference(question, slot, lost=slot in ours, cause=_cause(robfig, question, slot, ours, theirs))
        for slot in sorted(ours.symmetric_difference(theirs))
    )
    return Comparison(question, len(ours.union(theirs)), differences)


def our_slots(question: Question) -> Iterator[int]:
    """Yield our answer."""
    cron, zone = parse(question.schedule), time_zone(question.time_zone)
    until = datetime.fromtimestamp(question.until, UTC)
    slot = cron.next_after(datetime.fromtimestamp(question.after, UTC), zone)
    while slot is not None and slot <= until:
        yield int(slot.timestamp())
        slot = cron.next_after(slot, zone)


def _cause(
    robfig: Robfig, question: Question, slot: int, ours: Collection[int], theirs: Sequence[int]
) -> Cause | None:
    clock = datetime.fromtimestamp(slot, time_zone(question.time_zone))
    same_in_utc = int(clock.replace(tzinfo=UTC).timestamp())
    alone = replace(question, time_zone="UTC", after=same_in_utc - 1, until=same_in_utc)
    if bool(robfig.slots(alone)) != (slot in ours):
        return None
    # The way that went wrong: from the start of the day of CronJob's slot before, to its next one.
    index = bisect_left(theirs, slot)
    begin = (theirs[index - 1] if index > 0 else question.after) - DAY
    end = theirs[index] if index < len(theirs) else question.until
    causes = (_cause_in(change) for change in changes(question.time_zone, begin, end))
    return next((cause for cause in causes if cause), None)


def _cause_in(change: Change) -> Cause | None:
    if change.skips_midnight:
        return Cause.NO_MIDNIGHT
    if change.repeats_midnight:
        return Cause.TWO_MIDNIGHTS
    if change.within_an_hour:
        return Cause.WITHIN_AN_HOUR
    return None
