"""Validation of a spec beyond what the schema and CEL can express."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import msgspec
import yaml

from selfheal_operator.api.allowed_uris import is_allowed
from selfheal_operator.api.estimators import CLASSIFIERS, NEEDS_INNER, REGRESSORS
from selfheal_operator.api.param_kinds import Value, advised, takes, told
from selfheal_operator.api.param_values import param_value
from selfheal_operator.api.reasons import Task
from selfheal_operator.api.v1alpha1.dataset import names_server
from selfheal_operator.api.v1alpha1.promotion import METRICS
from selfheal_operator.api.v1alpha1.retraining import Candidate
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec
from selfheal_operator.api.v1alpha1.trigger import DATA_DRIFT
from selfheal_operator.core.errors import InvalidSpecError
from selfheal_operator.core.jobs import known_task, tracking_target
from selfheal_operator.core.observed import JobDefaults, Monitor
from selfheal_operator.core.schedule import Schedule, schedule_of

LARGEST_SPEC_BYTES: Final = 112 * 1024
"""Linux limits an environment variable to 128 KiB; 16 KiB of it are for the rest of the request."""

_PATTERNS_SHOWN: Final = 5

_LONGEST_VALUE_READ: Final = 128
"""Reading YAML takes time, 0.1 ms for so many characters; a longer value is a list, which is not judged."""
_VALUES_KEPT: Final = 4096
"""A spec is validated each time that something happens to its monitor."""

_CATALOGUES: Final[Mapping[Task | None, tuple[str, Mapping[str, Mapping[str, tuple[Value, ...]]]]]] = {
    Task.CLASSIFICATION: ("classifier", CLASSIFIERS),
    Task.REGRESSION: ("regressor", REGRESSORS),
    None: ("classifier or regressor", {**REGRESSORS, **CLASSIFIERS}),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """A valid spec, with its schedule."""

    spec: ModelMonitorSpec
    schedule: Schedule


def rules_of(monitor: Monitor, defaults: JobDefaults) -> Rules:
    """Read and validate the spec.

    Raises:
        InvalidSpecError: The spec is invalid; names the first problem.
    """
    spec = monitor.read_spec()
    _check_size(spec)
    schedule = schedule_of(spec, monitor.uid)
    tracking_target(monitor, spec, defaults)
    _check_addresses(spec, defaults.allowed_uris)
    _check_trigger(spec)
    task = known_task(spec, monitor.status)
    _check_metrics(spec, task)
    for candidate in spec.retraining.candidates:
        _check_candidate(candidate, task)
    return Rules(spec, schedule)


def _check_size(spec: ModelMonitorSpec) -> None:
    size = len(msgspec.json.encode(spec))
    if size > LARGEST_SPEC_BYTES:
        raise InvalidSpecError("spec", size_problem(size))


def size_problem(size: int) -> str:
    """Return what is wrong with a spec of so many bytes as JSON."""
    return (
        f"it takes {size} bytes as JSON, and a run can be given {LARGEST_SPEC_BYTES} at most; "
        "shorten what is long in it, such as lists of columns"
    )


def _check_addresses(spec: ModelMonitorSpec, allowed: Sequence[str]) -> None:
    """Raise InvalidSpecError for an address that the platform team does not permit.

    The address of a database is in its Secret, which the operator does not read: the run checks it.
    """
    dataset = spec.dataset
    sources = {"reference": dataset.reference, "current": dataset.current, "labels": dataset.labels}
    addresses = {f"spec.dataset.{name}.uri": source.uri for name, source in sources.items() if source}
    if spec.mlflow.tracking_uri:
        addresses["spec.mlflow.trackingURI"] = spec.mlflow.tracking_uri
    for field, uri in addresses.items():
        if names_server(uri) and not is_allowed(uri, allowed):
            shown = ", ".join(allowed[:_PATTERNS_SHOWN]) + (", ..." if len(allowed) > _PATTERNS_SHOWN else "")
            problem = f"it matches none of the addresses that the platform team permits ({shown})"
            raise InvalidSpecError(field, problem)


def _check_trigger(spec: ModelMonitorSpec) -> None:
    known = [DATA_DRIFT, *(signal.name for signal in spec.signals)]
    for name in spec.trigger.on:
        if name not in known:
            problem = f"{name} is neither {DATA_DRIFT} nor a name in spec.signals"
            raise InvalidSpecError("spec.trigger.on", problem + _suggestion(name, known))
    if spec.trigger.window < spec.trigger.consecutive_breaches:
        raise InvalidSpecError("spec.trigger.withinChecks", "it must be at least consecutiveBreaches")


def _check_metrics(spec: ModelMonitorSpec, task: Task | None) -> None:
    """Raise InvalidSpecError for a metric of the promotion that is not one of the task."""
    if task is None:
        return
    named = {"spec.promotion.primaryMetric": spec.promotion.primary_metric}
    named |= {
        f"spec.promotion.gates[{number}].metric": gate.metric
        for number, gate in enumerate(spec.promotion.gates)
    }
    for field, metric in named.items():
        if metric is not None and metric not in METRICS[task]:
            raise InvalidSpecError(
                field, f"{metric} is no metric of the task {task}; use one of {', '.join(METRICS[task])}"
            )


def _check_candidate(candidate: Candidate, task: Task | None) -> None:
    kind, catalogue = _CATALOGUES[task]
    path = f"spec.retraining.candidates[name={candidate.name}]"
    if candidate.estimator not in catalogue:
        problem = f"{candidate.estimator} is not a {kind} of scikit-learn"
        raise InvalidSpecError(f"{path}.estimator", problem + _suggestion(candidate.estimator, catalogue))
    known = catalogue[candidate.estimator]
    for param, text in candidate.params.items():
        if param not in known:
            problem = f"{candidate.estimator} has no parameter {param}"
            raise InvalidSpecError(f"{path}.params", problem + _suggestion(param, known))
        if value_problem := _value_problem(text, known[param]):
            raise InvalidSpecError(f"{path}.params.{param}", value_problem)
    _check_inner_estimator(candidate, kind, catalogue)


@lru_cache(maxsize=_VALUES_KEPT)
def _value_problem(text: str, allowed: tuple[Value, ...]) -> str | None:
    """Return why an estimator would refuse a value in each fit; None if it may take it."""
    if not allowed or len(text) > _LONGEST_VALUE_READ:
        return None
    try:
        value = param_value(text)
    except (yaml.YAMLError, ValueError, TypeError):  # the run says why
        return None
    if takes(allowed, value):
        return None
    return f"{text!r} is not allowed; write {told(allowed)}" + _suggestion(text, advised(allowed))


def _check_inner_estimator(candidate: Candidate, kind: str, catalogue: Iterable[str]) -> None:
    if problem := _inner_problem(candidate, kind, catalogue):
        path = f"spec.retraining.candidates[name={candidate.name}].params.estimator"
        raise InvalidSpecError(path, problem)


def _inner_problem(candidate: Candidate, kind: str, catalogue: Iterable[str]) -> str | None:
    inner = candidate.params.get("estimator", "").strip("'\"")
    if inner in {"", "null"}:
        missing = f"{candidate.estimator} needs another estimator; name a {kind} of scikit-learn"
        return missing if candidate.estimator in NEEDS_INNER else None
    if inner not in catalogue:
        return f"{inner} is not a {kind} of scikit-learn" + _suggestion(inner, catalogue)
    if inner in NEEDS_INNER:
        return f"{inner} needs another estimator itself; name one that needs none"
    return None


def _suggestion(written: str, known: Iterable[str]) -> str:
    by_last_part = {name.rsplit(".", 1)[-1].lower(): name for name in known}
    close = difflib.get_close_matches(written.rsplit(".", 1)[-1].lower(), by_last_part, n=1)
    return f"; did you mean {by_last_part[close[0]]}?" if close else ""
