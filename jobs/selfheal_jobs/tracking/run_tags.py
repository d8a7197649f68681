"""Tags that identify the monitor, Job and slot of an MLflow run. Pure.

With these tags a restarted pod finds the runs of its predecessor: a finished run is reused, an unfinished one
is marked KILLED.
"""

from typing import Final

from selfheal_jobs.tracking.search_conditions import equals
from selfheal_operator.api.model import format_time
from selfheal_operator.api.request import RunRequest

TAG_MONITOR_UID: Final = "selfheal.monitorUID"
TAG_JOB: Final = "selfheal.jobName"
TAG_PURPOSE: Final = "selfheal.purpose"
TAG_GENERATION: Final = "selfheal.generation"
TAG_TARGET: Final = "selfheal.target"
TAG_PROMOTION: Final = "selfheal.promotion"
"""Of a version that is not the champion by being registered: AWAITED, then PROMOTED."""
AWAITED: Final = "Awaited"
PROMOTED: Final = "Promoted"
TAG_APPROVED_BY: Final = "selfheal.approvedBy"
OURS: Final = "selfheal."
"""What the names of tags begin with that programs read."""


def run_tags(request: RunRequest) -> dict[str, str]:
    """Return the tags of a Job's run."""
    monitor = request.monitor
    return {
        TAG_PURPOSE: request.purpose,
        TAG_JOB: request.job_name,
        TAG_MONITOR_UID: monitor.uid,
        "selfheal.monitor": f"{monitor.namespace}/{monitor.name}",
        TAG_GENERATION: str(monitor.generation),
        "selfheal.slot": format_time(request.slot),
        TAG_TARGET: request.spec.target,
    }


def same_job(request: RunRequest) -> str:
    """Return the filter string for MLflow's search that matches the runs of all attempts of the same Job."""
    tags = run_tags(request)
    return " and ".join(
        equals(f"tags.`{name}`", tags[name]) for name in (TAG_MONITOR_UID, TAG_JOB, TAG_PURPOSE)
    )
