"""The operators' settings in a phase of the run."""

from dataclasses import dataclass
from typing import Final

from chaos.faults import Target
from testbed.install import OPERATOR_NAMESPACE

_SETTINGS: Final = {
    "SELFHEAL_HEALTH_PORT": "0",
    "SELFHEAL_RESYNC_SECONDS": "15",
    "SELFHEAL_CHECK_DEADLINE_SECONDS": "12",
    "SELFHEAL_RETRAIN_DEADLINE_SECONDS": "20",
    "SELFHEAL_MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
    "SELFHEAL_MAX_ACTIVE_CHECKS": "0",
    "SELFHEAL_MAX_ACTIVE_CHECKS_PER_NAMESPACE": "0",
    "SELFHEAL_MAX_ACTIVE_RETRAINS": "0",
    "SELFHEAL_MAX_ACTIVE_RETRAINS_PER_NAMESPACE": "0",
}


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the run with fixed operator settings."""

    elects: bool
    """Whether they elect a leader with a Lease; otherwise all of them reconcile concurrently."""

    def settings_of(self, name: Target) -> dict[str, str]:
        """Return an operator's environment variables."""
        elected = {
            "POD_NAME": str(name),
            "POD_NAMESPACE": OPERATOR_NAMESPACE,
            "SELFHEAL_LEASE_DURATION_SECONDS": "4",
            "SELFHEAL_LEASE_RENEW_DEADLINE_SECONDS": "3",
            "SELFHEAL_LEASE_RETRY_SECONDS": "1",
        }
        return _SETTINGS | (elected if self.elects else {})
