"""The per-monitor series, built from the store at each scrape; they end with the monitor.

Ten thousand monitors have fifty thousand series. The client library would create an object for each, and one
text of all, and block the event loop meanwhile. So the text is built here, a few hundred monitors at a time.
"""

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeVar

from selfheal_operator.metrics.family import Family

CHUNK: Final = 200
"""Monitors that are read or written before yielding to the event loop: a few milliseconds."""

SHOWN: Final = ("Ready", "RetrainingFailed", "Stalled")
"""The conditions that require action. The other conditions are covered by other metrics."""

Document = Mapping[str, Any]
T = TypeVar("T")


class Facts(NamedTuple):
    """The data of one monitor's metrics."""

    suspended: bool
    result: str | None
    drift_share: float | None
    last_success: float | None
    """In seconds since the epoch."""
    missed: int
    model: str | None
    """The labels of the registered version, in the text format."""
    next_check: float | None
    """The oldest slot without a Job, in seconds since the epoch."""
    conditions: tuple[tuple[str, bool], ...]
    """The conditions of `SHOWN` whose status is True or False."""


Named = tuple[tuple[str, str], Facts]
"""The namespace and the name of a monitor, and the facts."""


def facts_of(document: Document) -> Facts:
    """Read the data of a monitor's metrics from its document.

    A malformed field counts as absent: one monitor must not break the scrape of all others.
    """
    status = _part(document, "status")
    check, model, missed = _part(status, "lastCheck"), _part(status, "model"), status.get("missedChecks")
    return Facts(
        suspended=_part(document, "spec").get("suspend") is True,
        result=sys.intern(escaped(str(check["result"]))) if "result" in check else None,
        drift_share=_number(check.get("driftShare")),
        last_success=_seconds(status.get("lastSuccessfulCheckTime")),
        missed=int(missed) if isinstance(missed, int) else 0,
        model=_model_labels(model) if "version" in model else None,
        next_check=_seconds(status.get("nextCheckTime")),
        conditions=_conditions(status.get("conditions")),
    )


@lru_cache  # eight distinct values, shared by ten thousand monitors
def _shared(*conditions: tuple[str, bool]) -> tuple[tuple[str, bool], ...]:
    return conditions


def _conditions(listed: object) -> tuple[tuple[str, bool], ...]:
    documents = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    status = {str(each.get("type")): each.get("status") for each in documents}
    known = {"True": True, "False": False}
    return _shared(*((kind, known[value]) for kind in SHOWN if (value := status.get(kind)) in known))


def escaped(value: str) -> str:
    """Escape a label's value: users choose the names of models freely."""
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _model_labels(model: Document) -> str:
    return f'model="{escaped(str(model.get("name")))}",version="{escaped(str(model["version"]))}"'


def _part(document: Document, name: str) -> Document:
    part = document.get(name)
    return part if isinstance(part, Mapping) else {}


def _number(text: object) -> float | None:
    try:
        return float(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _seconds(time: object) -> float | None:
    try:
        return datetime.fromisoformat(time).timestamp() if isinstance(time, str) else None
    except (ValueError, OverflowError, OSError):  # the last two where it has no time zone
        return None


@dataclass(frozen=True, slots=True)
class MonitorFamily:
    """One metric of every monitor."""

    family: Family
    samples: Callable[[Facts], Iterable[str]]
    """Returns, per series, further labels if any, the closing brace, and the value."""


def _family(
    name: str, kind: str, help_: str, sample: Callable[[Facts], str | None], *labels: str
) -> MonitorFamily:
    """Return a metric with one series per monitor, or none if `sample` returns None."""

    def samples(facts: Facts) -> Iterable[str]:
        return () if (found := sample(facts)) is None else (found,)

    return MonitorFamily(Family(name, kind, ("namespace", "monitor", *labels), help_), samples)


FAMILIES: Final = (
    _family(
        "selfheal_monitor_drift_share",
        "gauge",
        "Share of drifted columns in the newest check, from 0 to 1; no series without a verdict.",
        lambda facts: None if facts.drift_share is None else f"}} {facts.drift_share}",
    ),
    _family(
        "selfheal_monitor_last_check_result",
        "gauge",
        "1 for the result of the newest check: NoDrift, Warning, Drift, Inconclusive or Error.",
        lambda facts: None if facts.result is None else f',result="{facts.result}"}} 1',
        "result",
    ),
    _family(
        "selfheal_monitor_last_successful_check_timestamp_seconds",
        "gauge",
        "Completion time of the newest check that did not end in Error; no series before the first.",
        lambda facts: None if facts.last_success is None else f"}} {facts.last_success}",
    ),
    _family(
        "selfheal_monitor_missed_checks_total",
        "counter",
        "Slots without a check since the monitor was created; restarts do not reset it.",
        lambda facts: f"}} {facts.missed}",
    ),
    _family(
        "selfheal_monitor_suspended",
        "gauge",
        "1 if spec.suspend is true, else 0.",
        lambda facts: "} 1" if facts.suspended else "} 0",
    ),
    _family(
        "selfheal_monitor_model_info",
        "gauge",
        "1 for the present champion, as status.model names it; no series before there is one.",
        lambda facts: None if facts.model is None else f",{facts.model}}} 1",
        "model",
        "version",
    ),
    MonitorFamily(
        Family(
            "selfheal_monitor_condition",
            "gauge",
            ("namespace", "monitor", "condition"),
            "1 if the condition is True, 0 if it is False: Ready, RetrainingFailed and Stalled.",
        ),
        lambda facts: (f',condition="{kind}"}} {value:d}' for kind, value in facts.conditions),
    ),
)
SLOTS_DUE: Final = Family("selfheal_slots_due", "gauge", (), "Monitors with a due slot that has no Job yet.")


async def monitor_lines(monitors: Iterable[Named], now: datetime) -> AsyncIterator[str]:
    """Yield the exposition of all monitors in pieces, and yield to the event loop between them."""
    all_: list[Named] = []
    for chunk in _chunks(monitors):
        all_ += chunk
        await asyncio.sleep(0)
    for metric in FAMILIES:
        yield heading(metric.family)
        for part in _chunks(all_):
            yield "".join(_lines(metric, part))
            await asyncio.sleep(0)
    due = sum(1 for _, facts in all_ if facts.next_check is not None and facts.next_check <= now.timestamp())
    yield f"{heading(SLOTS_DUE)}{SLOTS_DUE.name} {due}\n"


def heading(family: Family) -> str:
    """Return the lines that introduce a metric."""
    return f"# HELP {family.name} {family.help}\n# TYPE {family.name} {family.type}\n"


def _lines(metric: MonitorFamily, monitors: Iterable[Named]) -> Iterator[str]:
    metric_name = metric.family.name
    for (namespace, name), facts in monitors:
        for sample in metric.samples(facts):  # object names need no escaping
            yield f'{metric_name}{{namespace="{namespace}",monitor="{name}"{sample}\n'


def _chunks(things: Iterable[T]) -> Iterator[list[T]]:
    """Yield lists of at most `CHUNK` items, lazily."""
    rest = iter(things)
    while chunk := list(itertools.islice(rest, CHUNK)):
        yield chunk
