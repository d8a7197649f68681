"""What a Job is asked to do: one JSON document in its container's environment.

The document is complete: a run finishes under the rules that it began with, whatever happens to the
ModelMonitor meanwhile, and a check can be repeated by hand from the Job's manifest alone.
An image of your own needs to know this document and `api.report`, nothing else of selfheal.
"""

from selfheal_operator.api.model import ApiModel
from selfheal_operator.api.reasons import PromotionDirection, Purpose, Task
from selfheal_operator.api.v1alpha1.schema import Time
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec
from selfheal_operator.api.v1alpha1.status import MethodUse, ModelVersion


class MonitorRef(ApiModel, frozen=True, kw_only=True):
    """The ModelMonitor that a run belongs to."""

    namespace: str
    name: str
    uid: str
    generation: int


class TrackingTarget(ApiModel, frozen=True, kw_only=True):
    """Where a run is logged: spec.mlflow with the operator's defaults filled in."""

    tracking_uri: str
    experiment: str
    registered_model_name: str


class PromotionOrder(ApiModel, frozen=True, kw_only=True):
    """For a promotion: which version gets the alias, and which one has it as far as is known."""

    version: str
    expected_version: str | None = None
    """The version that the alias is on; None if there is no such alias. It is not moved from another one."""
    direction: PromotionDirection = PromotionDirection.PROMOTE
    approved_by: str
    """Who or what has decided it, for the tag of the version."""
    known: ModelVersion | None = None
    """What the status has recorded of the version, its digest among it."""


class RunRequest(ApiModel, frozen=True, kw_only=True):
    """One run: which monitor, why, and under which rules."""

    purpose: Purpose
    monitor: MonitorRef
    job_name: str
    slot: Time
    """The slot of the check; for a retraining, the slot of the check that led to it; for a promotion, the
    time of the decision."""
    spec: ModelMonitorSpec
    """The spec as it was at `monitor.generation`."""
    task: Task | None = None
    """The task of the spec, or else the one that an earlier check inferred, or else None: infer it."""
    task_target: str | None = None
    """The target that an earlier check has inferred `task` from."""
    mlflow: TrackingTarget
    previous_methods: tuple[MethodUse, ...] = ()
    """For a check: what judged the columns at the check that had reported last when the Job was made."""
    champion: ModelVersion | None = None
    """The version that status.model named when the Job was made: for a retraining, the one to beat."""
    triggers: tuple[str, ...] = ()
    """For a retraining: what of spec.trigger.on the check at `slot` breached; empty if it was requested."""
    force: bool = False
    """For a retraining: whether its request says to learn from the data although columns are broken."""
    ignore_champion: bool = False
    """For a retraining: whether its request says to leave the champion out of the comparison."""
    accept_champion: bool = False
    """For a retraining: whether its request says to record the champion's files as they are now."""
    promotion: PromotionOrder | None = None
    """For a promotion."""

    @property
    def known_task(self) -> Task | None:
        """Return the task of the spec, or else the one inferred from the same target; None: infer it.

        A target that was edited since forgets it.
        """
        return self.spec.task or (self.task if self.task_target == self.spec.target else None)
