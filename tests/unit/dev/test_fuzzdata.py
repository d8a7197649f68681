"""A short version of `make fuzz-data`, and that it would notice."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fuzzdata.inputs import CANARY, Kind
from fuzzdata.promises import SECRET, broken_promises
from fuzzdata.worker import KINDS, check, kind_of
from selfheal_operator.api.names import ENV_PREFIX_CURRENT
from selfheal_operator.api.reasons import CheckResult
from selfheal_operator.api.report import CheckReport
from selfheal_operator.api.v1alpha1.status import LastCheck

NUMBERS = range(0, 180, 3)
"""Sixty inputs, each of another kind."""


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: kind_of(number).name)
def test_whatever_the_data_is_a_check_ends_in_a_result_with_a_sentence(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No crash, no verdict from garbage, and no secret told."""
    monkeypatch.setenv(f"{ENV_PREFIX_CURRENT}AWS_SECRET_ACCESS_KEY", SECRET)

    report, printed, broken = check(number, 7, tmp_path)

    assert broken == [], (report.last_check, printed)


def test_the_short_version_meets_sixty_kinds() -> None:
    """A kind that is added or taken away does not make two of the sixty the same."""
    assert len({kind_of(number).name for number in NUMBERS}) == len(NUMBERS)
    assert len({kind.name for kind in KINDS}) == len(KINDS)


def report(**changes: Any) -> CheckReport:
    """Return a report that keeps every promise, with changes."""
    now = datetime(2026, 11, 23, tzinfo=UTC)
    check: dict[str, Any] = {
        "scheduled_time": now,
        "job_name": "churn-check-1",
        "result": CheckResult.ERROR,
        "reason": "DataUnreadable",
        "message": "The file cannot be read.",
        "observed_generation": 1,
    }
    return CheckReport(last_check=LastCheck(**(check | changes)))


@pytest.mark.parametrize(
    ("changes", "printed", "what"),
    [
        ({}, "", []),
        ({"result": "NoDrift", "reason": "WithinThreshold"}, "", ["came to a verdict"]),
        ({"result": "Warning", "reason": "WarningThresholdExceeded"}, "", ["came to a verdict"]),
        ({"reason": "CheckFailed"}, "", ["ended by a defect"]),
        ({"message": "Oh"}, "", ["is no sentence"]),
        ({"message": "Two lines\nof it, and more"}, "", ["is no sentence"]),
        ({"message": f"The value is {CANARY}."}, "", ["tells a secret"]),
        ({}, f"row: {CANARY}", ["tells a secret"]),
        ({}, f"key={SECRET}", ["tells a secret"]),
    ],
)
def test_a_broken_promise_is_noticed(changes: dict[str, Any], printed: str, what: list[str]) -> None:
    """Each of them, and only that one."""
    garbage = Kind(name="garbage", write=lambda *_: "", is_garbage=True)

    found = list(broken_promises(garbage, report(**changes), printed))

    assert len(found) == len(what)
    assert all(each.startswith(start) for each, start in zip(found, what, strict=True))
