"""Accelerated time, and clocks that can be stepped."""

import mmap
import re
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final, Self

_STEP: Final = struct.Struct("d")
_CREATED: Final = re.compile(rb'"creationTimestamp":"([0-9TZ:-]{20})"')


@dataclass(frozen=True, slots=True)
class QuickTime:
    """Runs `speed` times as fast as real time from `begin` on, where both are the same."""

    begin: datetime
    speed: int

    @classmethod
    def starting_now(cls, speed: int) -> Self:
        """Start at a whole second, so that translated times are whole seconds too."""
        return cls(datetime.now(UTC).replace(microsecond=0), speed)

    def now(self) -> datetime:
        """Return the quick time."""
        return self.at(datetime.now(UTC))

    def at(self, real: datetime) -> datetime:
        """Translate a real time; nothing changes for times before the beginning."""
        return real if real <= self.begin else self.begin + (real - self.begin) * self.speed


def quick_creation_times(time: QuickTime) -> Callable[[bytes], bytes]:
    """Return a function that translates creation times into quick time, for the operators."""

    @lru_cache(maxsize=4096)
    def translated(written: bytes) -> bytes:
        quick = time.at(datetime.fromisoformat(written.decode()))
        return b'"creationTimestamp":"' + f"{quick:%Y-%m-%dT%H:%M:%SZ}".encode() + b'"'

    return lambda body: _CREATED.sub(lambda match: translated(match[1]), body)


class ClockStep:
    """The offset of one operator's clock: a number in a file, which can change while the operator runs."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(_STEP.pack(0.0))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _STEP.size)

    @property
    def offset(self) -> timedelta:
        """How far the clock is ahead; negative: behind."""
        (seconds,) = _STEP.unpack(self._memory[:])
        return timedelta(seconds=seconds)

    @offset.setter
    def offset(self, offset: timedelta) -> None:
        self._memory[:] = _STEP.pack(offset.total_seconds())


@dataclass(frozen=True, slots=True)
class SteppedClock:
    """The wall clock of one operator's machine."""

    time: QuickTime
    step: ClockStep

    def __call__(self) -> float:
        """Return the seconds since 1970, by the stepped clock."""
        return (self.time.now() + self.step.offset).timestamp()

    def monotonic(self) -> float:
        """Return the seconds of a clock that is never stepped."""
        return time.monotonic() * self.time.speed
