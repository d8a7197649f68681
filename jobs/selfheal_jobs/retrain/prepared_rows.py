"""The rows of a retraining, as candidates and champion get them: training rows and held-out rows."""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from msgspec import Struct
from msgspec.structs import replace

from selfheal_jobs.errors import DataError
from selfheal_jobs.retrain.class_words import class_words
from selfheal_jobs.retrain.examination import Examination
from selfheal_jobs.retrain.features import for_model, without_codes
from selfheal_jobs.retrain.learnt_rows import LearntRows
from selfheal_jobs.retrain.many_classes import require_classes_with_rows
from selfheal_jobs.retrain.retraining_data import RetrainingData
from selfheal_jobs.retrain.row_digests import digests
from selfheal_jobs.retrain.scores import PRIMARY, HeldOut
from selfheal_jobs.retrain.splitting import Split, require_classes, split
from selfheal_jobs.retrain.training import TrainingSet
from selfheal_operator.api.reasons import Reason, Task
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1.promotion import METRICS

_DAY: Final = timedelta(days=1)
"""How far clocks and time zones may be apart: a later timestamp is an error."""

logger = logging.getLogger(__name__)


class PreparedRows(Struct, frozen=True, kw_only=True, dict=True):
    """The rows of a retraining after the split."""

    request: RunRequest
    data: RetrainingData
    split: Split
    training_set: TrainingSet
    test: HeldOut
    """The held-out rows, with the columns to learn from."""

    @property
    def target(self) -> str:
        """Return the name of the target."""
        return self.data.layout.target

    @property
    def examination(self) -> Examination:
        """Return the examination on the held-out rows."""
        return Examination(
            target=self.test.target,
            task=self.test.task,
            together=self.split.test_together,
            seed=self.training_set.seed,
            known=frozenset(self._classes()),
        )

    @cached_property
    def digest(self) -> str:
        """A digest of all rows, in whatever order and on whatever side they are. Two ask for it."""
        parts, columns = self.split, self.data.layout.learnt
        of_current = [digests(side, columns) for side in (parts.train, parts.test)]
        of_reference = digests(parts.reference, columns)
        ordered = (np.sort(each).tobytes() for each in (np.concatenate(of_current), of_reference))
        return hashlib.sha256(b"/".join(ordered)).hexdigest()[:16]

    def _classes(self) -> Iterator[str]:
        """Yield the words of the classes that either table has, also of those without a held-out row."""
        if self.test.task is Task.CLASSIFICATION:
            tables = (self.data.reference, self.data.current)
            for values in (table[self.target].unique() for table in tables if self.target in table):
                yield from (word for word in class_words(values) if word is not None)

    def with_all_columns(self, rows: pd.DataFrame) -> HeldOut:
        """Return rows of a table with all columns but the target: the champion may use other features."""
        features = for_model(rows, self.data.columns)
        columns = {
            name: features[name] if name in features else without_codes(rows[name])
            for name in rows.columns
            if name != self.target
        }
        return HeldOut(
            rows=pd.DataFrame(columns, index=rows.index), target=rows[self.target], task=self.test.task
        )

    def with_held_out(self, training_set: TrainingSet) -> TrainingSet:
        """Return a training set of all labelled rows: the held-out ones behind its own."""
        return replace(
            training_set,
            rows=pd.concat([training_set.rows, self.test.rows], ignore_index=True),
            target=pd.concat([training_set.target, self.test.target], ignore_index=True),
            groups=None,
            times=None,
            reference=None,
            reference_optional=False,
        )


def prepare(
    request: RunRequest, now: datetime, data: RetrainingData, learnt: LearntRows | None
) -> PreparedRows:
    """Split the rows.

    Args:
        request: The request of the retraining.
        now: The time at which it started.
        data: Its tables.
        learnt: The rows that the champion has learnt; None if there is none, or nobody knows.

    Raises:
        DataError: There are too few rows, or too few classes, or the primary metric does not fit.
    """
    layout = replace(data.layout, latest=now + _DAY)
    parts = split(data.reference, data.current, layout, request.spec.retraining, learnt)
    training_set = _training_set(request, data, parts)
    task, rows = data.layout.task, len(training_set.rows)
    logger.info("%s: %d rows to learn from, %d held out", task, rows, len(parts.test))
    test = HeldOut(rows=for_model(parts.test, data.columns), target=parts.test[data.layout.target], task=task)
    return PreparedRows(request=request, data=data, split=parts, training_set=training_set, test=test)


def _training_set(request: RunRequest, data: RetrainingData, parts: Split) -> TrainingSet:
    rules, layout = request.spec.retraining, data.layout
    both = rules.training_data not in {"Current", "Reference"}
    older = parts.reference if both else parts.reference.iloc[:0]
    rows = pd.concat([older, parts.train], ignore_index=True) if len(older) else parts.train
    require_classes(rows[layout.target], layout.task)
    if layout.task is Task.CLASSIFICATION:
        require_classes_with_rows(parts.train[layout.target])  # an older copy of them adds nothing
    return TrainingSet(
        rows=for_model(rows, data.columns),
        target=rows[layout.target],
        columns=data.columns,
        task=layout.task,
        seed=rules.random_seed,
        metric=_metric(request, layout.task),
        groups=_behind(_own_groups(parts.train_groups, len(older)), parts.train_groups),
        times=None
        if parts.train_times is None
        else _behind(np.full(len(older), parts.train_times.min()), parts.train_times),
        reference=np.arange(len(rows)) < len(older) if len(older) else None,
        reference_optional=rules.training_data == "Auto",
    )


def _own_groups(groups: Any, older: int) -> Any:
    """Return a group of its own for each row of the reference."""
    return None if groups is None else np.arange(older) + groups.max(initial=0) + 1


def _behind(first: Any, then: Any) -> Any:
    return None if then is None else np.concatenate([first, then])


def _metric(request: RunRequest, task: Task) -> str:
    metric = request.spec.promotion.primary_metric or PRIMARY[task]
    _require_fitting("primaryMetric", [metric], task)
    _require_fitting("gates", [gate.metric for gate in request.spec.promotion.gates], task)
    return metric


def _require_fitting(field: str, metrics: Iterable[str], task: Task) -> None:
    for metric in metrics:
        if metric not in METRICS[task]:
            raise DataError(
                Reason.METRIC_NOT_APPLICABLE,
                f"spec.promotion.{field} names {metric}, which does not fit {task}. Choose one of "
                f"{', '.join(METRICS[task])}.",
            )
