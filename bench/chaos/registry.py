"""A simulated MLflow: the versions and the alias of each model, with a log of who has moved an alias.

Promotions use it through their own code, from threads. Each of their requests takes a moment, in which people
move aliases too.
"""

import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path
from typing import Final

from chaos.move import Move
from selfheal_jobs.errors import TrackingError
from selfheal_jobs.tracking.model_registry import Version
from selfheal_operator.api.model import format_time
from selfheal_operator.api.request import RunRequest

REQUESTS: Final = 6
"""What a promotion asks at most: the version, the alias, the set, the alias again, and two tags."""
_LONGEST_REQUEST: Final = 0.05


class RequestFault(Enum):
    """What happens to one request of a promotion."""

    LOST_ANSWER = auto()
    """It is carried out, and its answer does not arrive."""
    DEATH = auto()
    """It is carried out, and the container dies."""


class KilledError(BaseException):
    """The container was killed."""


@dataclass(slots=True)
class _Model:
    versions: list[Version] = field(default_factory=list)
    alias: str | None = None
    by_job: dict[str, tuple[Version, str | None]] = field(default_factory=dict)
    moves_by_hand: int = 0


class SimulatedRegistry:
    """All models of an MLflow.

    Args:
        log: The file in which each move of an alias is recorded.
    """

    def __init__(self, log: Path) -> None:
        self._models: dict[str, _Model] = {}
        self._log = log.open("w")
        self._lock = threading.Lock()
        self._away_until = 0.0

    def close(self) -> None:
        """Close the log."""
        with self._lock:
            self._log.close()

    def go_away(self, seconds: float) -> None:
        """Answer nothing for so long."""
        self._away_until = time.monotonic() + seconds

    def registered(self, name: str, run: str) -> tuple[Version, str | None]:
        """Register a version, once for each run; return it, and the version that the alias was on then."""
        with self._lock:
            model = self._models.setdefault(name, _Model())
            if run not in model.by_job:
                version = Version(name, str(len(model.versions) + 1), datetime.now(UTC), {})
                model.versions.append(version)
                model.by_job[run] = (version, model.alias)
            return model.by_job[run]

    def move_by_hand(self, name: str, choice: int) -> str:
        """Move the alias as a person does: to any version, or away; return what was done."""
        with self._lock:
            model = self._models.setdefault(name, _Model())
            number = choice % (len(model.versions) + 1)
            after = str(number) if number else None
            self._note(Move(model=name, before=model.alias, after=after))
            model.alias = after
            model.moves_by_hand += 1
            return f"{name}: to {after or 'none'}"

    def newest(self, name: str) -> int:
        """Return the highest number of a version; 0 if there is none."""
        with self._lock:
            return len(self._models.setdefault(name, _Model()).versions)

    def connection(
        self, request: RunRequest, fault: RequestFault | None, number: int
    ) -> "PromotionConnection":
        """Return what a promotion's container sees. The fault strikes its request of that number."""
        return PromotionConnection(self, request, fault, number)

    @contextmanager
    def asked(self, name: str) -> Iterator[_Model]:
        """Serve one request.

        Raises:
            TrackingError: MLflow is away.
        """
        if time.monotonic() < self._away_until:
            raise TrackingError("MLflow could not be reached.")
        time.sleep(random.random() * _LONGEST_REQUEST)  # noqa: S311 - in which others act
        with self._lock:
            yield self._models.setdefault(name, _Model())

    def note(self, move: Move) -> None:
        """Record a move, while a request is served."""
        self._note(move)

    def _note(self, move: Move) -> None:
        self._log.write(json.dumps(asdict(move)) + "\n")
        self._log.flush()


class PromotionConnection:
    """The registry as one container uses it, with the fault that strikes one of its requests."""

    def __init__(
        self, registry: SimulatedRegistry, request: RunRequest, fault: RequestFault | None, number: int
    ) -> None:
        self._registry, self._request = registry, request
        self._fault, self._number = fault, number
        self._moves_seen = 0

    def version(self, name: str, version: str) -> Version | None:
        """Return a version."""
        with self._registry.asked(name) as model:
            found = next((each for each in model.versions if each.version == version), None)
        return self._answered(found)

    def version_by_alias(self, name: str, alias: str) -> Version | None:
        """Return the version with the alias; a model has one alias only."""
        del alias
        with self._registry.asked(name) as model:
            self._moves_seen = model.moves_by_hand
            found = model.versions[int(model.alias) - 1] if model.alias else None
        return self._answered(found)

    def set_alias(self, version: Version, alias: str) -> None:
        """Move the alias."""
        del alias
        with self._registry.asked(version.name) as model:
            move = Move(
                model=version.name,
                before=model.alias,
                after=version.version,
                uid=self._request.monitor.uid,
                job=self._request.job_name,
                decided=format_time(self._request.slot),
                overtook=model.moves_by_hand != self._moves_seen,
            )
            self._registry.note(move)
            model.alias = version.version
        self._answered(None)

    def tag_version(self, version: Version, key: str, value: str) -> None:
        """Set a tag, which nobody reads."""
        del key, value
        with self._registry.asked(version.name):
            pass
        self._answered(None)

    def _answered(self, answer: Version | None) -> Version | None:
        self._number -= 1
        if self._fault is None or self._number >= 0:
            return answer
        fault, self._fault = self._fault, None
        if fault is RequestFault.DEATH:
            raise KilledError
        raise TrackingError("MLflow could not be reached.")
