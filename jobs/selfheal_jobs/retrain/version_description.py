"""The text that MLflow shows for a registered version: why it was trained, its score, and its rows. Pure."""

from collections.abc import Iterator

from selfheal_jobs.retrain.decision import Decision
from selfheal_operator.api.model import format_time
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1.status import LastRetraining


def description_of(request: RunRequest, decision: Decision) -> str:
    """Return the description of the version that a decision registers: names, times and numbers only."""
    sentences = (_origin(request), *_score(decision.outcome), *_rows(decision))
    return " ".join(f"{sentence}." for sentence in sentences)


def _origin(request: RunRequest) -> str:
    monitor = request.monitor
    trained = f"Trained by the ModelMonitor {monitor.namespace}/{monitor.name} (Job {request.job_name})"
    return f"{trained}, {_cause(request)}"


def _cause(request: RunRequest) -> str:
    time = format_time(request.slot)
    if request.triggers:
        return f"because its check of {time} breached {', '.join(request.triggers)}"
    chosen = {
        "force": request.force,
        "ignoreChampion": request.ignore_champion,
        "acceptChampion": request.accept_champion,
    }
    options = " and ".join(name for name, is_set in chosen.items() if is_set)
    return f"as requested at {time}" + (f" with {options}" if options else "")


def _score(outcome: LastRetraining) -> Iterator[str]:
    """Say the primary metric, which is the first one, beside the champion's."""
    if not outcome.metrics or outcome.rows is None:
        return
    primary = outcome.metrics[0]
    said = f"On {outcome.rows.test} held-out rows its {primary.name} is {primary.candidate}"
    if primary.champion is None:
        yield f"{said}; it was compared with no earlier version"
    else:
        yield (
            f"{said}, that of version {outcome.champion_version} is {primary.champion}: better by "
            f"{primary.difference} ({primary.lower} to {primary.upper})"
        )


def _rows(decision: Decision) -> Iterator[str]:
    if decision.learnt_rows is not None:
        yield f"The candidate {decision.outcome.candidate} has learnt {decision.learnt_rows} rows"
