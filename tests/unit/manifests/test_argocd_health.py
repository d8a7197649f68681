"""The health that Argo CD shows of a ModelMonitor, computed by a real Lua."""

from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from lupa import lua51  # type: ignore[import-untyped]  # its stubs know no fields of Lua's objects

PATCH: Final = Path(__file__).resolve().parents[3] / "manifests" / "argocd" / "argocd_cm.yaml"
SETTINGS: Final = yaml.safe_load(PATCH.read_text())["data"]


def health(status: dict[str, Any] | None, *, generation: int = 1) -> tuple[str, str]:
    """Return the status and the message that Argo CD would show."""
    monitor: dict[str, Any] = {"metadata": {"generation": generation}, "spec": {}}
    if status is not None:
        monitor["status"] = status
    lua = lua51.LuaRuntime()  # the version that Argo CD's interpreter speaks
    lua.globals().obj = lua.table_from(monitor, recursive=True)
    found = lua.execute(SETTINGS["resource.customizations.health.selfheal.dev_ModelMonitor"])
    return found.status, found.message


def conditions(**found: tuple[str, str, str]) -> dict[str, Any]:
    """Return a status with these conditions, written by an operator that has seen generation 1."""
    return {
        "observedGeneration": 1,
        "conditions": [
            {"type": kind, "status": status, "reason": reason, "message": message}
            for kind, (status, reason, message) in found.items()
        ],
    }


ACTIVE: Final = ("True", "MonitorActive", "Checks run on schedule")
QUIET: Final = ("False", "WithinThreshold", "1 of 10 columns drifted (0.1000)")
DRIFTED: Final = ("True", "ThresholdExceeded", "4 of 10 columns drifted (0.4000 > 0.3000)")


@pytest.mark.parametrize("status", [None, {}, {"conditions": []}, {"observedGeneration": 1}])
def test_a_monitor_that_the_operator_has_not_judged_is_progressing(status: dict[str, Any] | None) -> None:
    """Right after the sync, nothing is known."""
    assert health(status)[0] == "Progressing"


def test_a_spec_that_the_operator_has_not_seen_is_progressing() -> None:
    """What the status says is about an older generation, be it good or bad."""
    assert health(conditions(Ready=ACTIVE), generation=2)[0] == "Progressing"
    assert health(conditions(Ready=ACTIVE), generation=1)[0] == "Healthy"


@pytest.mark.parametrize("reason", ["InvalidSpec", "JobRejected", "PodNotStarting", "ChecksFailing"])
def test_what_somebody_has_to_mend_is_degraded(reason: str) -> None:
    """The message says what."""
    found = health(conditions(Ready=("False", reason, "spec.schedule: no such day"), DriftDetected=DRIFTED))
    assert found == ("Degraded", f"{reason}: spec.schedule: no such day")


def test_drift_is_healthy() -> None:
    """To notice it is what a monitor is for; a deployment must not fail because data has moved."""
    found = health(conditions(Ready=ACTIVE, DriftDetected=DRIFTED))
    assert found == ("Healthy", "Drift: 4 of 10 columns drifted (0.4000 > 0.3000)")


def test_a_running_retraining_is_healthy() -> None:
    """It comes first in the message: it is what happens now."""
    running = ("True", "DriftTriggered", "Job churn-retrain-1 runs")
    found = health(conditions(Ready=ACTIVE, DriftDetected=DRIFTED, Retraining=running))
    assert found == ("Healthy", "Retraining: Job churn-retrain-1 runs")


def test_a_suspended_monitor_is_healthy() -> None:
    """Suspended, as Argo CD has it, would show in the whole Application."""
    suspended = ("True", "Suspended", "No new checks: spec.suspend is true")
    found = health(conditions(Ready=suspended, DriftDetected=QUIET))
    assert found == ("Healthy", "No new checks: spec.suspend is true")
