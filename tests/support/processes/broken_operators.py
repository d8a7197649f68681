"""Operators with a defect, for tests of what is to find it."""

import uuid
from unittest import mock

from chaos.operator_config import OperatorConfig, live


def live_with_random_names(life: OperatorConfig) -> None:
    """Run an operator that names no check after its slot: two of them never meet in a name."""
    with mock.patch(
        "selfheal_operator.core.jobs.check_job_name",
        lambda monitor, _: f"{monitor}-check-{uuid.uuid4().hex[:8]}",
    ):
        live(life)
