"""What a promotion reports."""

from datetime import datetime

import msgspec

from selfheal_jobs.promote.alias_move import End, Moved
from selfheal_jobs.tracking.model_registry import Version
from selfheal_jobs.tracking.present_version import shown_as_known
from selfheal_operator.api.reasons import PromotionDirection, PromotionResult, Reason
from selfheal_operator.api.report import PromoteReport
from selfheal_operator.api.request import PromotionOrder, RunRequest
from selfheal_operator.api.v1alpha1.status import LastPromotion, ModelVersion


class PromotionAttempt(msgspec.Struct, frozen=True):
    """One attempt at a promotion that was decided."""

    request: RunRequest
    order: PromotionOrder
    started: datetime

    @property
    def alias(self) -> str:
        """The alias that is moved."""
        return self.request.spec.mlflow.champion_alias

    def failed(self, reason: Reason, message: str, now: datetime) -> PromoteReport:
        """Return the report where nobody knows whether the alias was moved."""
        return PromoteReport(last_promotion=self._outcome(now, PromotionResult.FAILED, reason, message))

    def ended(self, moved: Moved, now: datetime) -> PromoteReport:
        """Return the report of an end that is known."""
        match moved:
            case Moved(end=End.DONE, version=Version() as version):
                return self._promoted(version, now)
            case Moved(end=End.MOVED_ELSEWHERE):
                reason, message = Reason.ALIAS_MOVED_ELSEWHERE, self._elsewhere(moved.found)
            case Moved(end=End.VERSION_REPLACED):
                reason, message = Reason.VERSION_NOT_FOUND, self._missing("any more that was decided on")
            case _:
                reason, message = Reason.VERSION_NOT_FOUND, self._missing()
        return PromoteReport(last_promotion=self._outcome(now, PromotionResult.STOPPED, reason, message))

    def _promoted(self, version: Version, now: datetime) -> PromoteReport:
        is_rollback = self.order.direction is PromotionDirection.ROLLBACK
        reason = Reason.MODEL_ROLLED_BACK if is_rollback else Reason.MODEL_PROMOTED
        done, expected = "rolled back to" if is_rollback else "promoted", self.order.expected_version
        before = f"it was on version {expected}" if expected else "there was no such alias before"
        name = f"version {version.version}" if is_rollback else f"Version {version.version}"
        said = f"The model is {done} {name}" if is_rollback else f"{name} is {done}"
        message = f"{said}: it has the alias {self.alias}, {before}. Decided by {self.order.approved_by}."
        outcome = self._outcome(now, PromotionResult.PROMOTED, reason, message)
        return PromoteReport(last_promotion=outcome, model=self._model(version, now))

    def _model(self, version: Version, now: datetime) -> ModelVersion:
        model = shown_as_known(version, self.order.known, self.alias)
        previous = self.order.expected_version or model.previous_version
        return model.replaced(
            previous_version=previous if previous != model.version else None, promoted_time=now
        )

    def _missing(self, more: str = "") -> str:
        missing = f"has no version {self.order.version} {more}".rstrip()
        name = self.request.mlflow.registered_model_name
        return f"{name} {missing}, so the alias {self.alias} was not moved."

    def _elsewhere(self, found: str | None) -> str:
        expected = self.order.expected_version
        where = f"is on version {found}" if found else "does not exist"
        wanted = f"on version {expected}" if expected else "on none"
        return (
            f"The alias {self.alias} {where}, and was expected {wanted}: somebody else has moved it. It was "
            f"left there, and version {self.order.version} was not given it."
        )

    def _outcome(self, now: datetime, result: PromotionResult, reason: Reason, message: str) -> LastPromotion:
        return LastPromotion(
            scheduled_time=self.request.slot,
            job_name=self.request.job_name,
            start_time=self.started,
            completion_time=now,
            result=result,
            reason=reason,
            message=message,
            version=self.order.version,
            observed_generation=self.request.monitor.generation,
        )
