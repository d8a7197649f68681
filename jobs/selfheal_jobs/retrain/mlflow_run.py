"""Logs a retraining to MLflow, and resumes an earlier attempt of the same Job.

The decision, which candidate wins and whether it is to be registered, is stored in the parent run BEFORE it
is carried out. From then on every step is idempotent: a model version is searched by the tag of its Job
before it is created. If an attempt dies before the decision, the next one marks its runs as KILLED.
"""

import hashlib
import json
import logging
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import version as installed
from typing import Any, Final

import mlflow
import pandas as pd
from msgspec import DecodeError

from selfheal_jobs.redaction import without_secrets
from selfheal_jobs.retrain.champion import Champion
from selfheal_jobs.retrain.decision import Decision, LoggedModel
from selfheal_jobs.retrain.scores import HeldOut
from selfheal_jobs.retrain.search import Progress, Searched
from selfheal_jobs.retrain.signature import signature_of
from selfheal_jobs.retrain.training import Trained, TrainingSet
from selfheal_jobs.tracking.job_runs import JobRuns
from selfheal_jobs.tracking.model_registry import ModelRegistry, Version
from selfheal_jobs.tracking.rest_client import Run
from selfheal_jobs.tracking.run_tags import TAG_JOB, TAG_MONITOR_UID, run_tags
from selfheal_operator.api.reasons import RetrainResult
from selfheal_operator.api.report import RetrainReport
from selfheal_operator.api.v1alpha1.status import ModelVersion

logger = logging.getLogger(__name__)

TAG_DECISION: Final = "selfheal.decision"
COMPARISON: Final = "comparison"
DATA_SUMMARY: Final = "data_facts.json"

_SERVED_WITH: Final = ("mlflow", "scikit-learn", "pandas", "numpy", "scipy", "cloudpickle")
"""Requirements of a registered model. Explicit, since MLflow would start a process of 3 s to infer them."""


def requirements(estimator: str) -> list[str]:
    """Return what an image needs to serve a model: these versions, with LightGBM for its estimators."""
    packages = [*_SERVED_WITH, *(["lightgbm"] if estimator.startswith("lightgbm.") else [])]
    return [f"{package}=={installed(package)}" for package in packages]


def decision_before(runs: JobRuns) -> tuple[Run, Decision] | None:
    """Return the decision of an earlier attempt, or None; mark attempts without a decision as KILLED."""
    for run in runs.earlier():
        try:
            return run, Decision.from_json(run.tags.get(TAG_DECISION, ""))
        except DecodeError:
            runs.mark_killed(run)
    return None


def log_data(
    runs: JobRuns, parent: Run, training_set: TrainingSet, held_out: HeldOut, summary: Mapping[str, Any]
) -> None:
    """Log the summary of the data, and digests that show whether two runs used the same data."""
    runs.server.log_text(parent, DATA_SUMMARY, json.dumps(summary, indent=1, ensure_ascii=False))
    rules = runs.request.spec.retraining
    runs.server.log(
        parent,
        params={
            "training_data": rules.training_data,
            "test_fraction": f"{rules.test_fraction:g}",
            "random_seed": str(rules.random_seed),
            "task": training_set.task,
            "target": runs.request.spec.target,
        },
        metrics={"rows_train": len(training_set.rows), "rows_test": len(held_out.rows)},
        tags={
            "selfheal.reference": without_secrets(runs.request.spec.dataset.reference.uri),
            "selfheal.current": without_secrets(runs.request.spec.dataset.current.uri),
            "selfheal.trainDigest": digest(training_set.rows, training_set.target),
            "selfheal.testDigest": digest(held_out.rows, held_out.target),
        },
    )


def digest(rows: pd.DataFrame, target: pd.Series) -> str:
    """Return a short digest of values: equal for the same rows and targets in the same order."""
    digested = hashlib.sha256()
    for each in (rows, target):
        digested.update(pd.util.hash_pandas_object(each, index=False).to_numpy().tobytes())
    return digested.hexdigest()[:16]


def log_candidate(
    runs: JobRuns, parent: Run, trained: Trained, training_set: TrainingSet
) -> LoggedModel | None:
    """Log a candidate and its model as a child run; return None if training failed."""
    child = runs.start_child(parent, trained.candidate.name)
    estimator = {"estimator": trained.candidate.estimator}
    if trained.cross_validated is not None:
        runs.server.log(child, metrics={f"cross_validated/{training_set.metric}": trained.cross_validated})
    if trained.model is None:
        tags = {"selfheal.problem": trained.problem} if trained.problem else {}
        runs.server.log(child, params=estimator, tags=tags)
        runs.server.end_run(child, "FAILED" if trained.problem else "FINISHED")
        return None
    params = trained.model.named_steps["model"].get_params(deep=False)
    runs.server.log(
        child,
        params=estimator | {name: str(value)[:500] for name, value in params.items()},
        metrics=trained.metrics | {"training_seconds": trained.seconds},
    )
    uri = _log_model(child, trained, training_set)
    runs.server.end_run(child)
    return LoggedModel(run_id=child.run_id, uri=uri)


def _log_model(child: Run, trained: Trained, training_set: TrainingSet) -> str:
    """Log with cloudpickle.

    MLflow's default, skops, rejects forests, encoders and most other estimators unless each of their types is
    listed as trusted, and listing the types of what was just trained would add no safety.
    """
    logging.getLogger("mlflow.sklearn").setLevel(logging.ERROR)  # warns about cloudpickle each time
    logging.getLogger("mlflow.models.model").setLevel(logging.ERROR)
    with mlflow.start_run(run_id=child.run_id), warnings.catch_warnings(action="ignore"):
        logged = mlflow.sklearn.log_model(
            trained.model,
            name="model",
            signature=signature_of(training_set.rows, training_set.target, training_set.columns),
            input_example=training_set.rows.head(3),
            pip_requirements=requirements(trained.candidate.estimator),
            serialization_format="cloudpickle",
        )
    return str(logged.model_uri)


def log_progress(runs: JobRuns, parent: Run, progress: Progress) -> None:
    """Log the best score of a search after a trial, as a series over the trials."""
    runs.server.log(parent, metrics={"search/best": progress.best}, step=progress.trial)


def log_search(runs: JobRuns, parent: Run, found: Searched) -> None:
    """Log how many trials a search has finished, and the parameters of the winner."""
    winner = found.choice.winner
    runs.server.log(
        parent,
        metrics={
            "search/trials": found.trials,
            "search/pruned": found.pruned,
            "search/failed": found.failed,
        },
        params={f"winner/{name}": value for name, value in (winner.params if winner else {}).items()},
    )


def log_comparison(runs: JobRuns, parent: Run, trained: Sequence[Trained], champion: Champion | None) -> None:
    """Log one table of all candidates and the champion."""
    table = comparison_table(trained, champion)
    runs.server.log_text(parent, f"{COMPARISON}.csv", table.to_csv(index=False))
    runs.server.log_text(parent, f"{COMPARISON}.md", markdown(table))


def comparison_table(trained: Sequence[Trained], champion: Champion | None) -> pd.DataFrame:
    """Return one row per model, one column per metric."""
    rows: list[dict[str, object]] = [
        {
            "model": each.candidate.name,
            "estimator": each.candidate.estimator,
            **each.metrics,
            "training_seconds": round(each.seconds, 2),
            "problem": each.problem,
        }
        for each in trained
    ]
    if champion is not None:
        metrics = champion.metrics or {}
        rows.append(
            {"model": f"champion (version {champion.version})", **metrics, "problem": champion.problem}
        )
    return pd.DataFrame(rows)


def markdown(table: pd.DataFrame) -> str:
    """Return a table as Markdown."""
    cells = [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    lines = [list(table.columns), ["---"] * len(table.columns), *cells]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.4f}"
    return str(value).replace("|", "\\|")


def store(runs: JobRuns, parent: Run, decision: Decision) -> None:
    """Store the decision in the parent run; later attempts do not train again."""
    text = decision.to_json()
    shown = decision.outcome.metrics
    candidate = {f"candidate/{each.name}": float(each.candidate) for each in shown if each.candidate}
    champion = {f"champion/{each.name}": float(each.champion) for each in shown if each.champion}
    tags = {TAG_DECISION: text, "selfheal.result": decision.outcome.result}
    runs.server.log(parent, metrics=candidate | champion, tags=tags)


def carry_out(runs: JobRuns, parent: Run, decision: Decision) -> RetrainReport:
    """Register the model if that was decided and not yet done, end the run, and return the report."""
    outcome, model = decision.outcome, None
    if outcome.result is RetrainResult.REGISTERED and decision.model_uri:
        model = _registered_once(runs, decision)
        outcome = outcome.replaced(
            version=model.version, message=f"Version {model.version} registered: {outcome.message}"
        )
    failed = outcome.result is RetrainResult.FAILED
    runs.server.end_run(parent, "FAILED" if failed else "FINISHED")
    return RetrainReport(last_retraining=outcome, model=model)


def _registered_once(runs: JobRuns, decision: Decision) -> ModelVersion:
    registry, name = ModelRegistry(runs.server), runs.request.mlflow.registered_model_name
    made = _version_of_job(registry, name, runs)
    if made is None:
        made = registry.register(name, str(decision.model_uri), run_tags(runs.request))
    logger.info("Version %s of %s is registered", made.version, name)
    return ModelVersion(
        name=name,
        version=made.version,
        previous_version=decision.outcome.champion_version,
        target=runs.request.spec.target,
        run_id=str(decision.model_run_id),
        registered_time=made.created,
    )


def _version_of_job(registry: ModelRegistry, name: str, runs: JobRuns) -> Version | None:
    """Return the model version that this Job has registered; the first one if there are two."""
    ours = {tag: run_tags(runs.request)[tag] for tag in (TAG_JOB, TAG_MONITOR_UID)}
    found = registry.versions_with_tags(name, ours)
    return min(found, key=lambda version: int(version.version), default=None)
