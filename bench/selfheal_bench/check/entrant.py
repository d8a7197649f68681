"""What is measured: a command on the tables of one size, and the proof that it did its work."""

import os
from typing import Final, Protocol

from selfheal_bench.check.tables import Tables

_NOT_TAKEN_OVER: Final = ("PYTHON", "SELFHEAL_", "MLFLOW_", "KUBE", "VIRTUAL_ENV")


class UnfitRunError(Exception):
    """An invalid run: it failed, timed out, or did not do the required work."""


class Entrant(Protocol):
    """Something that compares two tables in a process of its own."""

    @property
    def name(self) -> str:
        """Return the name by which its figures go."""

    def command(self, tables: Tables) -> list[str]:
        """Return the program, by its path, and its arguments."""

    def environment(self, tables: Tables) -> dict[str, str]:
        """Return all environment variables of the process."""

    def verify(self, tables: Tables, printed: str) -> int:
        """Return how many columns have drifted, or raise UnfitRunError if it has not compared all of them."""


def surroundings() -> dict[str, str]:
    """Return the environment variables that all get: the benchmark's, less what is meant for such programs.

    PYTHONDONTWRITEBYTECODE goes with the others: the first run, which is not counted, leaves byte code for
    the next ones, as a container image holds it.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_NOT_TAKEN_OVER) and not name.lower().endswith("_proxy")
    }
    return kept | {"DO_NOT_TRACK": "true"}
