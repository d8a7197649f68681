"""The simplest request that each policy refuses: whether it is taken tells whether the policy is in force."""

from typing import Final

from selfheal_operator.api.names import PLURAL
from siege.monitors import monitor
from testbed.caller import DRY, Caller, Reply, collection

MONITOR: Final = "probe"
"""A monitor that `status` may be sent to."""


def spec(who: Caller, namespace: str) -> Reply:
    """Create a monitor whose program imports other modules, which `selfheal-spec` refuses."""
    pod = {"env": [{"name": "PYTHONPATH", "value": "/x"}]}
    return who.ask("POST", collection(PLURAL, namespace) + DRY, monitor("denied", {"podTemplate": pod}))


def status(who: Caller, namespace: str) -> Reply:
    """Write a field of the operator's, which `selfheal-status` refuses."""
    path = collection(PLURAL, namespace, MONITOR, "status") + DRY
    return who.merge(path, {"status": {"missedChecks": 1}})


def job(who: Caller, namespace: str) -> Reply:
    """Create a Job of nobody's with another image, which `selfheal-jobs` refuses to operators."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "a", "image": "evil"}]}
    document = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": MONITOR},
        "spec": {"template": {"spec": pod}},
    }
    return who.ask("POST", collection("jobs", namespace) + DRY, document)
