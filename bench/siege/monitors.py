"""ModelMonitors for attacks."""

from collections.abc import Mapping
from typing import Any, Final

from selfheal_operator.api.names import API_VERSION, KIND
from testbed.kubectl import Document

YEARLY: Final = "0 0 1 1 *"
"""No slot of it comes while attacks run."""
NOWHERE: Final = "/nowhere.parquet"


def monitor(name: str, spec: Mapping[str, Any] | None = None, **metadata: Any) -> Document:
    """Return a monitor whose spec has some parts set; without any it is valid and reads nothing."""
    sides = {"reference": {"uri": NOWHERE}, "current": {"uri": NOWHERE}}
    usual = {"dataset": sides, "target": "label", "threshold": 0.3, "schedule": YEARLY}
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name, **metadata},
        "spec": {**usual, **(spec or {})},
    }
