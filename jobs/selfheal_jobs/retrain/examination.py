"""Examines models on the held-out rows, all on the same ones, once. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from msgspec import Struct
from numpy.typing import NDArray

from selfheal_jobs.retrain.answers import read_answers
from selfheal_jobs.retrain.gates import Examined, Slice
from selfheal_jobs.retrain.scores import all_metrics, tallied, tallies
from selfheal_jobs.retrain.tallies import Units, units_of
from selfheal_operator.api.reasons import Task

_LEAST_IN_A_SLICE: Final = 50
_MOST_SLICES: Final = 100


class Examination(Struct, frozen=True, kw_only=True):
    """The held-out rows, and which of them are resampled together."""

    target: pd.Series
    task: Task
    together: NDArray[np.intp] | None
    """Codes of rows that hang together; None if each stands for itself."""
    seed: int
    known: frozenset[str] = frozenset()
    """Words of the classes that the target is known to have, beside those of the held-out labels."""

    @property
    def units(self) -> Units:
        """Return the resampling units."""
        return units_of(self.together, len(self.target), seed=self.seed)

    def examined(self, name: str, predicted: Any, more: Mapping[str, float] | None = None) -> Examined:
        """Return what a model's predictions are worth.

        Args:
            name: Its name in messages.
            predicted: Its predictions, one for each row.
            more: Metrics of its probabilities.

        Raises:
            AnswersError: The predictions cannot be compared with the targets.
        """
        sums = tallies(predicted, self.target, self.task, self.units, self.known)
        return Examined(name=name, sums=sums, metrics=all_metrics(self.task, sums) | dict(more or {}))

    def slices(
        self, rows: pd.DataFrame, columns: Sequence[str], winner: Any, champion: Any
    ) -> tuple[Slice, ...]:
        """Return both models' tallies among the rows of each value of some columns, if these are enough."""
        chosen = [pair for name in columns if name in rows.columns for pair in _values(rows[name])]
        both = [read_answers(each, self.target, self.task, self.known) for each in (winner, champion)]
        return tuple(self._slice(name, mask, *both) for name, mask in chosen[:_MOST_SLICES])

    def _slice(self, name: str, mask: NDArray[np.bool_], winner: Any, champion: Any) -> Slice:
        together = None if self.together is None else self.together[mask]
        units = units_of(together, int(mask.sum()), seed=self.seed)
        target = self.target[mask]
        return Slice(
            name=name,
            rows=int(mask.sum()),
            winner=tallied(winner[mask], target, self.task, units),
            champion=tallied(champion[mask], target, self.task, units),
        )


def _values(column: pd.Series) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    words = column.astype("object").map(str, na_action="ignore")  # lists are not hashable
    counts = words.value_counts()
    for value in counts.index[counts >= _LEAST_IN_A_SLICE]:
        yield f"{str(column.name)[:40]}={value[:40]}", (words == value).to_numpy(dtype=bool)
