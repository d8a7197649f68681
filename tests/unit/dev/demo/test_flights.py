"""Which flights end up in which table."""

from pathlib import Path

import pandas as pd
import pytest

from demo.datasets.flights import FEATURES, WEATHER, read_seasons

HOUR = "2013-01-01T10:00:00Z"


def flight(**given: object) -> dict[str, object]:
    """Return one flight, on time, in January."""
    usual = {
        "month": 1, "day": 1, "hour": 5, "distance": 700, "carrier": "UA", "origin": "EWR",
        "arr_delay": 0.0, "air_time": 100.0, "time_hour": HOUR,
    }  # fmt: skip
    return usual | given


def written(folder: Path, *flights: dict[str, object]) -> Path:
    """Write the flights, and weather for one hour that the table holds twice."""
    pd.DataFrame(flights).to_csv(folder / "flights.csv.zip", index=False)
    weather = {"origin": "EWR", "time_hour": HOUR, **dict.fromkeys(WEATHER, 1.0)}
    pd.DataFrame([weather, weather]).to_csv(folder / "weather.csv", index=False)
    return folder


@pytest.mark.parametrize(
    ("month", "day", "season"),
    [
        (3, 31, "winter"),
        (4, 1, None),
        (5, 31, None),
        (6, 1, "early_summer"),
        (7, 15, "early_summer"),
        (7, 16, "late_july"),
        (7, 31, "late_july"),
        (8, 1, None),
    ],
)
def test_a_flight_is_in_the_season_of_its_day(
    tmp_path: Path, month: int, day: int, season: str | None
) -> None:
    """Reference, current and held-out rows are of different times, so no row is in two."""
    seasons = read_seasons(written(tmp_path, flight(month=month, day=day)))

    found = [name for name in ("winter", "early_summer", "late_july") if len(getattr(seasons, name))]

    assert found == ([season] if season else [])


@pytest.mark.parametrize(("minutes", "late"), [(15.0, 0), (16.0, 1), (-20.0, 0)])
def test_late_is_more_than_fifteen_minutes(tmp_path: Path, minutes: float, late: int) -> None:
    """Fifteen minutes are still on time."""
    seasons = read_seasons(written(tmp_path, flight(arr_delay=minutes)))

    assert seasons.winter["late"].tolist() == [late]


def test_a_flight_that_never_arrived_is_left_out(tmp_path: Path) -> None:
    """It has no delay and no time in the air."""
    seasons = read_seasons(written(tmp_path, flight(), flight(arr_delay=None, air_time=None)))

    assert len(seasons.winter) == 1


def test_an_hour_that_the_weather_has_twice_does_not_double_its_flights(tmp_path: Path) -> None:
    """The clocks go back once a year."""
    seasons = read_seasons(written(tmp_path, flight()))

    assert len(seasons.winter) == 1
    assert seasons.winter[WEATHER].notna().all(axis=None)


def test_no_feature_tells_the_outcome_or_the_month() -> None:
    """What is known only afterwards is no feature, and the month would drift by definition."""
    assert not {"arr_delay", "dep_delay", "air_time", "late", "month", "day", "time_hour"} & set(FEATURES)
