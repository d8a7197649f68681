"""ModelMonitors for the API server, with sane defaults, and data for them to look at."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from testbed.kubectl import Kubectl

YEARLY = "0 0 1 1 *"
"""One slot that has passed and none to come while a test runs."""


def write_table(path: Path, *, rows: int, shift: float, seed: int) -> Path:
    """Write four normal features around `shift`, a category, and a label that two features decide."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(random.normal(shift, 1, (rows, 4)), columns=["age", "income", "tenure", "usage"])
    table["plan"] = random.choice(["basic", "plus", "pro"], rows)
    noise = random.normal(0, 0.5, rows)
    table["churned"] = (table["age"] + table["income"] - 2 * shift + noise > 0).astype(int)
    table.to_parquet(path)
    return path


def monitor_manifest(name: str, *, reference: Path | str, current: Path | str, **spec: Any) -> dict[str, Any]:
    """Return a ModelMonitor; what has no name here goes into its spec, by its wire name."""
    when = {} if "intervalSeconds" in spec else {"schedule": YEARLY}
    return {
        "apiVersion": "selfheal.dev/v1alpha1",
        "kind": "ModelMonitor",
        "metadata": {"name": name},
        "spec": {
            "dataset": {"reference": {"uri": str(reference)}, "current": {"uri": str(current)}},
            "target": "churned",
            "threshold": 0.3,
            **when,
            **spec,
        },
    }


def promise_slot(kubectl: Kubectl, name: str) -> datetime:
    """Have the yearly slot due now, as after an operator that was away when it came; return the slot."""
    slot = datetime(datetime.now(UTC).year, 1, 1, tzinfo=UTC)
    status = f'{{"status": {{"observedGeneration": 1, "nextCheckTime": "{slot:%Y-%m-%dT%H:%M:%SZ}"}}}}'
    kubectl("patch", "modelmonitor", name, "--subresource=status", "--type=merge", "--patch", status)
    return slot
