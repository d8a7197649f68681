"""What is compared: time zones with a year each, and expressions."""

from collections.abc import Iterator
from typing import Final

from crondiff.robfig import Question
from crondiff.timezones import DAY, changes_in, year_begins

THIS_YEAR: Final = 2026

ZONES: Final = (
    ("UTC", THIS_YEAR),
    # No change of the clock, and offsets that are not whole hours.
    ("America/Phoenix", THIS_YEAR),
    ("Asia/Tokyo", THIS_YEAR),
    ("Asia/Kolkata", THIS_YEAR),
    ("Asia/Kathmandu", THIS_YEAR),
    ("Pacific/Kiritimati", THIS_YEAR),
    # Two changes a year, in the small hours; Dublin has its standard time in summer.
    ("Europe/London", THIS_YEAR),
    ("Europe/Dublin", THIS_YEAR),
    ("Europe/Berlin", THIS_YEAR),
    ("Asia/Jerusalem", THIS_YEAR),
    ("America/New_York", THIS_YEAR),
    ("America/Los_Angeles", THIS_YEAR),
    ("America/St_Johns", THIS_YEAR),
    ("Australia/Sydney", THIS_YEAR),
    ("Australia/Adelaide", THIS_YEAR),
    ("Pacific/Auckland", THIS_YEAR),
    # Late in the evening, so that a day ends twice or without its last hour.
    ("Pacific/Easter", THIS_YEAR),
    ("America/Nuuk", THIS_YEAR),
    # By two hours.
    ("Antarctica/Troll", THIS_YEAR),
    # Before and after Ramadan; four changes a year, and two that are a week apart.
    ("Africa/Casablanca", THIS_YEAR),
    ("Africa/Cairo", 2014),
    ("Asia/Gaza", 2040),
    # A midnight that does not exist, or comes twice.
    ("Atlantic/Azores", THIS_YEAR),
    ("America/Scoresbysund", THIS_YEAR),
    ("America/Havana", THIS_YEAR),
    ("America/Santiago", THIS_YEAR),
    ("America/Asuncion", 2023),
    ("America/Sao_Paulo", 2018),
    ("Africa/Cairo", THIS_YEAR),
    ("Asia/Beirut", THIS_YEAR),
    ("Asia/Amman", 2021),
    ("Asia/Tehran", 2022),
    # By half an hour, or at a quarter to.
    ("Australia/Lord_Howe", THIS_YEAR),
    ("Pacific/Chatham", THIS_YEAR),
    ("America/St_Johns", 2010),
    ("Asia/Pyongyang", 2018),
    ("America/Caracas", 2016),
    # A zone that changed its mind, by three hours; and one that lost its summer time.
    ("Antarctica/Casey", 2020),
    ("Pacific/Apia", 2020),
)

EXPRESSIONS: Final = (
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@midnight",
    # The hours in which clocks are changed.
    "0 0 * * *",
    "30 0 * * *",
    "0 1 * * *",
    "40 1 * * *",
    "30 2 * * *",
    "15,45 2 * * *",
    "5/15 3 * * *",
    "0 0-3 * * *",
    "59 23 * * *",
    "10-20/5 22/1 */2 * *",
    # Steps, ranges, lists and names.
    "0 */6 * * *",
    "7 1-23/5 * * *",
    "*/59 12,12 ? * ?",
    "0 12 * * MON-FRI",
    "0 9-17/4 * * mon,WED,Fri",
    "0 0 1 jan-dec/3 *",
    "0 0 1 3,APR,10-nov *",
    "+5,,06 6 * * *",
    # Days of the week, and of the month, and both.
    "0 5 * * 0",
    "0 5 * * 4",
    "0 5 * * 5",
    "0 5 * * 6",
    "0 0 * * 5",
    "0 0 * * 0,6",
    "0 6 1,15 * ?",
    "0 6 13 * 5",
    "0 6 13 * *,1",
    "0 6 */2 * *",
    "0 6 * * */2",
    "0 6 */2 * 1",
    "0 6 */1 * 1",
    "0 6 1-7 * */2",
    "0 6 ?/3 */2 ?/2",
    # Days that few months or years have.
    "0 0 31 * *",
    "0 0 30 4,6,9,11 *",
    "30 3 29 2 *",
    "0 0 31 2 *",
    "0 0 31 2 sat",
)
"""With at most a few slots a day."""

DENSE: Final = (
    "* * * * *",
    "*/7 * * * *",
    "0/15 * * * *",
    "3-59/20 * * * *",
    "13,43 * * * *",
    "@hourly",
    "*/10 */5 * * 0,6",
    "*/20 * */3 * 1-5",
)
"""With many."""


def questions(name: str, year: int, *, every_minute: bool) -> Iterator[Question]:
    """Ask for a year of UTC; of what is dense, only for the days that matter, unless for every minute."""
    for expression in EXPRESSIONS:
        yield whole_year(name, year, expression)
    for expression in DENSE:
        if every_minute:
            yield whole_year(name, year, expression)
        else:
            yield from days_that_matter(name, year, expression)


def whole_year(name: str, year: int, expression: str) -> Question:
    """Ask for all slots of a year of UTC."""
    return Question(expression, name, year_begins(year) - 1, year_begins(year + 1) - 1)


def days_that_matter(name: str, year: int, expression: str) -> Iterator[Question]:
    """Ask for the two days around each change of the clock, and around the end of February."""
    march = year_begins(year) + (31 + 28) * DAY
    for time in (march, *(change.time for change in changes_in(name, year))):
        yield Question(expression, name, time - DAY - 1, time + DAY - 1)
