"""Stands where the monitor's status is: takes the reports of containers that run in the test's process."""

from typing import Any

from selfheal_jobs.delivery.status_patch import Delivery
from selfheal_operator.api.report import AnyReport


class Inbox:
    """Takes reports."""

    def __init__(self) -> None:
        self.reports: list[Any] = []

    def deliver(self, report: AnyReport, *, forgets_model: bool = False) -> Delivery:
        """Keep the report."""
        self.reports.append(report)
        return Delivery.STORED
