"""Stands where the monitor's status is: takes the reports of containers that run in the test's process."""

from typing import Any

from selfheal_jobs.delivery.status_patch import Delivery
from selfheal_operator.api.report import CheckReport, RetrainReport
from selfheal_operator.api.v1alpha1.status import MethodUse, ModelVersion


class Inbox:
    """Takes reports, and knows the present model, as the monitor's status does."""

    def __init__(self, present: ModelVersion | None = None) -> None:
        self.reports: list[Any] = []
        self._present = present

    def present_model(self) -> ModelVersion | None:
        """Return what the test says it is."""
        return self._present

    def methods_before(self) -> list[MethodUse]:
        """Return none."""
        return []

    def deliver(self, report: CheckReport | RetrainReport) -> Delivery:
        """Keep the report."""
        self.reports.append(report)
        return Delivery.STORED
