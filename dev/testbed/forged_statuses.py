"""Statuses that nobody could have written honestly, and what shows that one still stands."""

from typing import Any, Final

ODD: Final = "9999-12-31T23:59:59-23:59"
"""A time that does not exist in UTC: Python's calendar ends before."""
_NEVER: Final = "9999-01-01T00:00:00Z"
_REPORT: Final = {
    "scheduledTime": _NEVER,
    "jobName": "any-check-1",
    "result": "Drift",
    "reason": "ThresholdExceeded",
    "message": "forged",
    "observedGeneration": 1,
}
_READY: Final = {"type": "Ready", "status": "True", "reason": "R", "message": "m", "lastTransitionTime": ODD}
FORGED: Final[dict[str, dict[str, Any]]] = {
    "promise": {"nextCheckTime": ODD},
    "first-year": {"nextCheckTime": "0001-01-01T00:00:00+23:59"},
    "started": {"lastScheduleTime": _NEVER},
    "report": {"lastCheck": _REPORT},
    "odd-report": {"lastCheck": _REPORT | {"completionTime": ODD}},
    "history": {"history": [{"scheduledTime": ODD, "result": "Drift"}]},
    "record": {"retraining": {"count": 999_999_999, "lastStartTime": ODD, "startTimes": [ODD]}},
    "missed": {"missedChecks": 2**63 - 1},
    "active": {"active": [{"name": "../../../../../api/v1/secrets", "uid": "u", "purpose": "Check"}]},
    "since": {"conditions": [_READY]},
}
"""Each by the name of a monitor that it can be written to."""
SIGNS: Final = ("9999-", "0001-01", "secrets", str(2**63 - 1))
"""Where one of them is in the operator's part of a status, a forgery still stands."""
REPORTED: Final = frozenset({"lastCheck", "lastRetraining", "model"})
"""Fields that the containers write; the operator leaves them, and does not believe them."""
