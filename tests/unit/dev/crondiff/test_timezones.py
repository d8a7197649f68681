"""When clocks are changed."""

import pytest

from crondiff.timezones import changes, changes_in, year_begins


@pytest.mark.parametrize(
    ("zone", "year", "found"),
    [
        ("UTC", 2026, []),
        ("Europe/Berlin", 2026, ["02:00 > 03:00", "03:00 > 02:00"]),
        ("Africa/Cairo", 2026, ["00:00 > 01:00 skips midnight", "00:00 > 23:00"]),
        ("Asia/Amman", 2021, ["00:00 > 01:00 skips midnight", "01:00 > 00:00 repeats midnight"]),
        ("America/St_Johns", 2010, ["00:01 > 01:01 within", "00:01 > 23:01 repeats midnight within"]),
        ("Australia/Lord_Howe", 2026, ["02:00 > 01:30 within", "02:00 > 02:30 within"]),
        ("Pacific/Chatham", 2026, ["03:45 > 02:45 within", "02:45 > 03:45 within"]),
        ("Asia/Pyongyang", 2018, ["23:30 > 00:00 within"]),
        ("Pacific/Apia", 2011, ["04:00 > 03:00", "03:00 > 04:00", "00:00 > 00:00 skips midnight"]),
    ],
)
def test_a_change_is_what_the_clock_would_have_shown_and_what_it_shows(zone, year, found):
    """To the minute; and whether midnight is touched, or the minutes."""
    assert [_tell(change) for change in changes_in(zone, year)] == found


def _tell(change) -> str:
    marks = {
        "skips midnight": change.skips_midnight,
        "repeats midnight": change.repeats_midnight,
        "within": change.within_an_hour,
    }
    shown = f"{change.before:%H:%M} > {change.after:%H:%M}"
    return " ".join([shown, *(mark for mark, is_so in marks.items() if is_so)])


def test_changes_are_found_after_the_beginning_and_until_the_end() -> None:
    """The moment itself belongs to what ends with it; years are no borders."""
    spring, autumn = changes_in("Europe/Berlin", 2026)

    assert changes("Europe/Berlin", spring.time, autumn.time) == [autumn]
    assert changes("Europe/Berlin", spring.time - 1, autumn.time - 1) == [spring]
    assert len(changes("Europe/Berlin", year_begins(2024), year_begins(2027))) == 6
