"""Logs a retraining to MLflow, and resumes an earlier attempt of the same Job.

The decision, whether the winner is to be registered, is stored in the parent run BEFORE it is carried out.
From then on every step is idempotent: a model version is searched by the tag of its Job before it is created.
Only what a pod of this Job has proven counts (`job_proof`): others may write to MLflow, too.
If an attempt dies before the decision, the next one marks its runs as KILLED.
"""

import hashlib
import json
import logging
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any, Final

import mlflow
import pandas as pd
from mlflow.models import Model
from msgspec import DecodeError, Struct

from selfheal_jobs.isolation.file_digest import digest_of_files
from selfheal_jobs.redaction import masked, without_secrets
from selfheal_jobs.retrain.cross_validation import Choice
from selfheal_jobs.retrain.decision import Decision
from selfheal_jobs.retrain.final_fit import FinalModel
from selfheal_jobs.retrain.gates import Examined
from selfheal_jobs.retrain.input_example import input_example
from selfheal_jobs.retrain.learnt_rows import LearntRows
from selfheal_jobs.retrain.search import Progress, Searched
from selfheal_jobs.retrain.signature import signature_of
from selfheal_jobs.retrain.training import Recipe, TrainingSet
from selfheal_jobs.retrain.version_description import description_of
from selfheal_jobs.tracking.job_proof import is_proven, proof_tags
from selfheal_jobs.tracking.job_runs import JobRuns
from selfheal_jobs.tracking.model_registry import ModelRegistry, Version
from selfheal_jobs.tracking.rest_client import Run
from selfheal_jobs.tracking.run_tags import TAG_JOB, TAG_MONITOR_UID, run_tags
from selfheal_operator.api.model import format_number
from selfheal_operator.api.reasons import Origin, RetrainResult
from selfheal_operator.api.report import RetrainReport
from selfheal_operator.api.v1alpha1.status import ModelVersion

logger = logging.getLogger(__name__)

TAG_DECISION: Final = "selfheal.decision"
_DECISION: Final = "decision"
_VERSION: Final = "version"
"""What is proven."""
COMPARISON: Final = "comparison"
DATA_SUMMARY: Final = "data_facts.json"
LEARNT_ROWS: Final = "learnt_rows.json"

_SERVED_WITH: Final = ("mlflow", "scikit-learn", "pandas", "numpy", "scipy", "cloudpickle")
"""Requirements of a registered model. Explicit, since MLflow would start a process of 3 s to infer them."""


class LoggedModel(Struct, frozen=True, kw_only=True):
    """A candidate's model in MLflow."""

    run_id: str
    uri: str
    digest: str
    """The digest of its files, taken before they were uploaded: others may write to MLflow's artifacts."""


def decision_before(runs: JobRuns) -> tuple[Run, Decision] | None:
    """Return the proven decision of an earlier attempt, or None; mark attempts without one as KILLED."""
    for run in runs.earlier():
        if (decision := _proven_decision(run)) is not None:
            return run, decision
        runs.mark_killed(run)
    return None


def _proven_decision(run: Run) -> Decision | None:
    """Return the decision that a pod of this Job has stored in the run; None if there is none."""
    if (text := run.tags.get(TAG_DECISION)) is None:
        return None
    if not is_proven(run.tags, _DECISION, run.run_id, text):
        logger.warning("The decision in MLflow's run %s is ignored: no pod of this Job made it", run.run_id)
        return None
    try:
        return Decision.from_json(text)
    except DecodeError:  # by another version of this program
        return None


def log_data(
    runs: JobRuns, parent: Run, training_set: TrainingSet, test: pd.DataFrame, summary: Mapping[str, Any]
) -> None:
    """Log the summary of the data, and digests that show whether two runs used the same data."""
    runs.server.log_text(parent, DATA_SUMMARY, json.dumps(summary, indent=1, ensure_ascii=False))
    rules, dataset = runs.request.spec.retraining, runs.request.spec.dataset
    runs.server.log(
        parent,
        params={
            "training_data": rules.training_data,
            "test_fraction": f"{rules.test_fraction:g}",
            "random_seed": str(rules.random_seed),
            "task": training_set.task,
            "target": runs.request.spec.target,
            "primary_metric": training_set.metric,
        },
        metrics={"rows_train": len(training_set.rows), "rows_test": len(test)},
        tags={
            "selfheal.reference": without_secrets(dataset.reference.uri),
            "selfheal.current": without_secrets(dataset.current.uri),
            "selfheal.trainDigest": digest(training_set.rows, training_set.target),
            "selfheal.testDigest": digest(test),
        },
    )


def digest(*tables: pd.DataFrame | pd.Series) -> str:
    """Return a short digest of the values of tables: equal for the same rows in the same order."""
    hashes = [pd.util.hash_pandas_object(_hashable(table), index=False).to_numpy() for table in tables]
    return hashlib.sha256(b"".join(each.tobytes() for each in hashes)).hexdigest()[:16]


def _hashable(table: pd.DataFrame | pd.Series) -> Any:
    """Return lists and the like as text."""
    if isinstance(table, pd.Series):
        return table.map(str) if table.dtype == object else table
    return table.apply(lambda column: column.map(str) if column.dtype == object else column)


def log_candidates(runs: JobRuns, parent: Run, candidates: Sequence[Recipe], choice: Choice) -> Run | None:
    """Log each candidate as a child run, and return the winner's; None if every candidate failed."""
    made = {each.name: _log_candidate(runs, parent, each, choice) for each in candidates}
    return made[choice.winner.name] if choice.winner is not None else None


def _log_candidate(runs: JobRuns, parent: Run, candidate: Recipe, choice: Choice) -> Run:
    child = runs.start_child(parent, candidate.name)
    params = {"estimator": candidate.estimator} | dict(candidate.params)
    if (problem := choice.problems.get(candidate.name)) is not None:
        runs.server.log(child, params=params, tags={"selfheal.problem": problem})
        runs.server.end_run(child, "FAILED")
        return child
    metric = choice.training_set.metric
    scores = {f"cross_validated/{metric}": choice.scores[candidate.name]}
    seconds = choice.seconds.get(candidate.name)
    more = {} if seconds is None else {"training_seconds": seconds}
    runs.server.log(child, params=params, metrics=scores | more)
    runs.server.end_run(child)
    return child


def requirements(estimator: str) -> list[str]:
    """Return what an image needs to serve a model: these versions, with LightGBM for its estimators."""
    packages = [*_SERVED_WITH, *(["lightgbm"] if estimator.startswith("lightgbm.") else [])]
    return [f"{package}=={installed(package)}" for package in packages]


def log_model(child: Run, winner: Recipe, final: FinalModel) -> LoggedModel:
    """Log a fitted model to a candidate's run, with cloudpickle.

    MLflow's default, skops, rejects forests, encoders and most other estimators unless each of their types is
    listed as trusted, and listing the types of what was just trained would add no safety.
    """
    logging.getLogger("mlflow.sklearn").setLevel(logging.ERROR)  # warns about cloudpickle each time
    logging.getLogger("mlflow.models.model").setLevel(logging.ERROR)
    rows, saved = final.training_set, _Saved()
    with mlflow.start_run(run_id=child.run_id), warnings.catch_warnings(action="ignore"):
        logged = Model.log(
            artifact_path=None,  # it has no default; its successor is `name`
            name="model",
            flavor=saved,
            flavor_name=mlflow.sklearn.__name__,
            validate_serving_input=False,  # `serving_trial` does
            sk_model=final.model,
            signature=signature_of(rows.target, rows.columns),
            input_example=input_example(rows.rows),
            pip_requirements=requirements(winner.estimator),
            serialization_format="cloudpickle",
        )
    return LoggedModel(run_id=child.run_id, uri=str(logged.model_uri), digest=saved.digest)


class _Saved:
    """Saves a model of scikit-learn where MLflow uploads it from, and keeps the digest of its files."""

    digest = ""

    def save_model(self, path: str, *, validate_serving_input: bool, **given: Any) -> None:
        """Save a model into a folder, as `mlflow.sklearn.save_model` does."""
        del validate_serving_input  # MLflow's `Model.log` passes its own options on
        mlflow.sklearn.save_model(path=path, **given)
        self.digest = digest_of_files(Path(path))


def log_learnt_rows(runs: JobRuns, parent: Run, learnt: LearntRows) -> str:
    """Log the digests of the rows that the winner has learnt, and return the artifact's address."""
    runs.server.log_text(parent, LEARNT_ROWS, json.dumps(learnt.to_wire()))
    return f"{parent.artifact_uri}/{LEARNT_ROWS}"


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


def log_comparison(
    runs: JobRuns, parent: Run, candidates: Sequence[Recipe], choice: Choice, examined: Sequence[Examined]
) -> None:
    """Log one table of all candidates, and of the models that were examined on the held-out rows.

    Args:
        runs: The runs of the Job.
        parent: Its run.
        candidates: All candidates.
        choice: What the cross-validation has found out.
        examined: The winner, the champion, and the model that runs.
    """
    table = comparison_table(candidates, choice, examined)
    runs.server.log_text(parent, f"{COMPARISON}.csv", table.to_csv(index=False))
    runs.server.log_text(parent, f"{COMPARISON}.md", markdown(table))


def comparison_table(
    candidates: Sequence[Recipe], choice: Choice, examined: Sequence[Examined]
) -> pd.DataFrame:
    """Return one row per model: its mean score in the cross-validation, and its metrics on held-out rows."""
    on_held_out = {each.name: dict(each.metrics) for each in examined}
    rows: list[dict[str, object]] = [
        {
            "model": each.name,
            "estimator": each.estimator,
            f"cross_validated {choice.training_set.metric}": choice.scores.get(each.name),
            **on_held_out.pop(each.name, {}),
            "problem": choice.problems.get(each.name, ""),
        }
        for each in candidates
    ]
    return pd.DataFrame([*rows, *({"model": name, **metrics} for name, metrics in on_held_out.items())])


def markdown(table: pd.DataFrame) -> str:
    """Return a table as Markdown."""
    cells = [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    lines = [list(table.columns), ["---"] * len(table.columns), *cells]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if pd.isna(value) else format_number(value)
    return str(value).replace("|", "\\|")


def store(runs: JobRuns, parent: Run, decision: Decision) -> None:
    """Store the decision in the parent run; later attempts do not train again."""
    outcome = decision.outcome.replaced(message=masked(decision.outcome.message))
    text = decision.replaced(outcome=outcome).to_json()
    shown = decision.outcome.metrics
    candidate = {f"candidate/{each.name}": float(each.candidate) for each in shown if each.candidate}
    champion = {f"champion/{each.name}": float(each.champion) for each in shown if each.champion}
    interval = {
        f"difference/{end}": float(value)
        for each in shown
        for end, value in (("point", each.difference), ("lower", each.lower), ("upper", each.upper))
        if value is not None
    }
    tags = {TAG_DECISION: text, "selfheal.result": decision.outcome.result}
    tags |= proof_tags(_DECISION, parent.run_id, text)
    runs.server.log(parent, metrics=candidate | champion | interval, tags=tags)


def carry_out(runs: JobRuns, parent: Run, decision: Decision, digest: str | None = None) -> RetrainReport:
    """Register the model if that was decided and not yet done, end the run, and return the report.

    Args:
        runs: The runs of the Job.
        parent: Its run.
        decision: What was decided.
        digest: The digest of the model's files; None if an earlier attempt has logged them, which may have
            been exchanged since.
    """
    outcome, model = decision.outcome, None
    if outcome.result is RetrainResult.REGISTERED and decision.model_uri:
        model = _registered_once(runs, decision)
        if digest and model.run_id == decision.model_run_id:  # otherwise another pod's version stays
            model = model.replaced(digest=digest, origin=Origin.RETRAINING)
        outcome = outcome.replaced(
            version=model.version, message=f"Version {model.version} registered: {outcome.message}"
        )
    failed = outcome.result is RetrainResult.FAILED
    runs.server.end_run(parent, "FAILED" if failed else "FINISHED")
    if runs.request.spec.promotion.moves_the_alias:
        return RetrainReport(last_retraining=outcome, challenger=model)
    return RetrainReport(last_retraining=outcome, model=model)


def _registered_once(runs: JobRuns, decision: Decision) -> ModelVersion:
    registry, name = ModelRegistry(runs.server), runs.request.mlflow.registered_model_name
    made = _version_of_job(registry, name, runs, decision)
    if made is None:
        made_of = str(decision.model_uri), str(decision.model_run_id)
        tags = run_tags(runs.request) | decision.version_tags | proof_tags(_VERSION, *made_of)
        made = registry.register(
            name,
            str(decision.model_uri),
            tags,
            description=description_of(runs.request, decision),
            run_id=str(decision.model_run_id),
        )
        # The node of another pod of this Job may have been lost, and the pod not: it may have registered too.
        made = _version_of_job(registry, name, runs, decision) or made
    logger.info("Version %s of %s is registered", made.version, name)
    return ModelVersion(
        name=name,
        version=made.version,
        previous_version=decision.previous_version or decision.outcome.champion_version,
        target=runs.request.spec.target,
        run_id=made.run_id or str(decision.model_run_id),
        registered_time=made.created,
        trained_until_time=decision.trained_until_time,
    )


def _version_of_job(registry: ModelRegistry, name: str, runs: JobRuns, decision: Decision) -> Version | None:
    """Return the model version that this Job has registered: the first one, if its pods have made several.

    The others are deleted. Every pod does so after it has registered, so that whoever is last sees all.
    A version that only has the tags of this Job is neither taken for its version nor deleted.
    """
    tags = {tag: run_tags(runs.request)[tag] for tag in (TAG_JOB, TAG_MONITOR_UID)}
    ours = [each for each in registry.versions_with_tags(name, tags) if _is_of_job(each, decision)]
    found = sorted(ours, key=lambda version: int(version.version))
    for version in found[1:]:
        logger.info(
            "Version %s of %s is deleted: %s is of the same Job", version.version, name, found[0].version
        )
        registry.delete_version(version)
    return next(iter(found), None)


def _is_of_job(version: Version, decision: Decision) -> bool:
    """Return whether a version is of the model that was decided on, or of one that another pod has proven."""
    made_of = version.source, version.run_id or ""
    return made_of == (decision.model_uri, decision.model_run_id) or is_proven(
        version.tags, _VERSION, *made_of
    )
