"""Runs retrainings in this process: from tables in memory to the decision and the model, without MLflow."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from selfheal_jobs.errors import DataError
from selfheal_jobs.retrain import cross_validation
from selfheal_jobs.retrain.champion import Champion, promotion_tags
from selfheal_jobs.retrain.data_objections import require_usable
from selfheal_jobs.retrain.decision import Attempt, decide
from selfheal_jobs.retrain.final_fit import final_model
from selfheal_jobs.retrain.gates import PastScore
from selfheal_jobs.retrain.retraining_data import data_of
from selfheal_jobs.retrain.trial import findings_of, trial_of
from selfheal_jobs.tables.table import ArrowTable
from selfheal_jobs.tracking.model_registry import Version
from selfheal_operator.api.reasons import Purpose, RetrainResult
from selfheal_operator.api.request import MonitorRef, RunRequest, TrackingTarget
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec

NOON: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOWHERE: Final = "/not/read"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a retraining ended, and the model that it would register."""

    result: RetrainResult
    message: str
    failed_gates: tuple[str, ...] = ()
    champion: Champion | None = None
    """The new version; None if none was registered."""
    examined: Any = None
    """The best candidate, whether it was registered or not."""

    @property
    def promoted(self) -> bool:
        """Return whether a version was registered."""
        return self.champion is not None


def retrained(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    champion: Champion | None = None,
    *,
    candidates: Sequence[dict[str, Any]] = (),
    **spec: Any,
) -> Outcome:
    """Run one retraining, as its container does between loading the tables and logging to MLflow."""
    request = _request(candidates, **spec)
    attempt = Attempt(request, started=NOON)
    try:
        tables = (
            ArrowTable(pa.Table.from_pandas(table, preserve_index=False)) for table in (reference, current)
        )
        data = data_of(request, *tables)
        if data.feed is not None:
            require_usable(data.feed)
        trial = trial_of(attempt, data, champion)
        choice = cross_validation.choose(trial.candidates, trial.rows.training_set)
        if choice.winner is None:
            return Outcome(result=RetrainResult.FAILED, message=str(dict(choice.problems)))
        found = findings_of(trial, choice, choice.winner, "run")
        outcome = decide(attempt, found.findings, NOON)
        failed = tuple(gate.name for gate in outcome.gates if not gate.passed)
        if failed:
            return Outcome(
                result=outcome.result, message=outcome.message, failed_gates=failed, examined=found.model
            )
        final = final_model(choice.winner, found.model, choice, trial.rows)
    except DataError as error:
        report = attempt.failed(NOON, error.reason, str(error)).last_retraining
        return Outcome(result=report.result, message=report.message, failed_gates=(report.reason,))
    evidence = found.findings.evidence
    past = PastScore(
        metric=evidence.metric,
        score=evidence.score(evidence.winner.sums),
        baseline=evidence.score(evidence.best_baseline()[1]),
    )
    new = Champion(
        version=version("1" if champion is None else str(int(champion.version.version) + 1), past),
        model=final.model,
        fitted=final.model,
        learnt=final.learnt,
    )
    return Outcome(result=outcome.result, message=outcome.message, champion=new, examined=found.model)


def version(number: str, past: PastScore | None = None) -> Version:
    """Return a version as the registry would."""
    tags = promotion_tags(past, None, None) if past else {}
    return Version(name="bench", version=number, created=NOON, tags=tags)


def _request(candidates: Sequence[dict[str, Any]], **spec: Any) -> RunRequest:
    dataset = {"reference": {"uri": NOWHERE}, "current": {"uri": NOWHERE}} | spec.pop("dataset", {})
    retraining = {"candidates": list(candidates)} | spec.pop("retraining", {})
    # Nobody is asked: a gate that fails refuses.
    promotion = {"mode": "None"} | spec.pop("promotion", {})
    whole = {"target": "label", "threshold": 0.3, "intervalSeconds": 3600, "promotion": promotion} | spec
    return RunRequest(
        purpose=Purpose.RETRAIN,
        monitor=MonitorRef(namespace="bench", name="bench", uid="bench", generation=1),
        job_name="bench-retrain-1",
        slot=NOON,
        spec=ModelMonitorSpec.from_wire(whole | {"dataset": dataset, "retraining": retraining}),
        mlflow=TrackingTarget(
            tracking_uri="http://nowhere", experiment="bench", registered_model_name="bench"
        ),
    )


logging.getLogger("selfheal_jobs").setLevel(logging.WARNING)
