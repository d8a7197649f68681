"""`status`: what selfheal has seen and done."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from selfheal_operator.api.model import ApiModel
from selfheal_operator.api.reasons import (
    CheckResult,
    ConditionStatus,
    Origin,
    PromotionDirection,
    PromotionResult,
    Purpose,
    RetrainResult,
    SignalResult,
    Task,
)
from selfheal_operator.api.v1alpha1.schema import (
    ATOMIC,
    ColumnName,
    Decimal,
    Name,
    ReasonWord,
    Share,
    Text,
    Time,
    Word,
    map_list,
)

LARGEST_COUNT: Final = 999_999_999
"""The bound of counts."""

MOST_RUNS_PER_DAY: Final = 24
"""The bound of spec.retraining.maxRunsPerDay: so many starts are remembered."""

_CONDITION_TYPE: Final = (
    r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
    r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"
)
"""As Kubernetes has it for metav1.Condition."""


class Condition(ApiModel, frozen=True, kw_only=True):
    """One aspect of the monitor's state, as in all of Kubernetes."""

    type: Annotated[str, Meta(min_length=1, max_length=316, pattern=_CONDITION_TYPE)]
    """type of the condition: Ready, DriftDetected, Retraining, RetrainingFailed, Stalled, Promoted or
    PromotionPending."""

    status: ConditionStatus
    """status is True, False or Unknown."""

    reason: ReasonWord
    """reason is one word for programs."""

    message: Annotated[str, Meta(max_length=4096)]
    """message is a sentence for people."""

    observed_generation: int | None = None
    """observedGeneration is the metadata.generation that the condition speaks of."""

    last_transition_time: Time
    """lastTransitionTime is when status last changed."""


class ActiveJob(ApiModel, frozen=True, kw_only=True):
    """A Job of this monitor that has not finished."""

    name: Name
    """name of the Job."""

    uid: Word
    """uid of the Job."""

    purpose: Purpose
    """purpose is Check, Retrain or Promote."""


class DriftedColumn(ApiModel, frozen=True, kw_only=True):
    """A column that drifted, and by how much."""

    name: ColumnName
    """name of the column."""

    method: Word
    """method is Evidently's name of the test or distance."""

    score: Decimal
    """score is the p-value or the distance."""

    threshold: Decimal
    """threshold that the score was compared with."""


class MethodUse(ApiModel, frozen=True, kw_only=True):
    """How many columns of a kind one method judged."""

    kind: Word
    """kind is Numerical or Categorical."""

    method: Word
    """method is Evidently's name of the test or distance."""

    columns: int
    """columns is how many columns it judged."""


class SkippedColumn(ApiModel, frozen=True, kw_only=True):
    """A column that was not compared, and why."""

    name: ColumnName
    """name of the column."""

    message: Annotated[str, Meta(max_length=256)]
    """message says why, in a few words."""


class NewCategories(ApiModel, frozen=True, kw_only=True):
    """A categorical column with values that the reference does not have."""

    name: ColumnName
    """name of the column."""

    categories: int
    """categories is how many new values there are."""

    rows: int
    """rows that hold one of them."""


class SignalStatus(ApiModel, frozen=True, kw_only=True):
    """What a check found of one signal."""

    name: Annotated[str, Meta(max_length=63)]
    """name of the signal in the spec."""

    type: Annotated[str, Meta(max_length=32)]
    """type of the signal in the spec."""

    result: SignalResult
    """result is Breached, WithinLimits or Unknown: nobody could tell."""

    reason: ReasonWord
    """reason is one word for programs."""

    value: Decimal | None = None
    """value with six significant digits, or whole if it is a count. Absent where it is not known."""

    message: Annotated[str, Meta(max_length=512)]
    """message is a sentence for people."""


class RowCounts(ApiModel, frozen=True, kw_only=True):
    """Rows that a check saw."""

    reference: int
    """reference is the number of rows in the reference data."""

    current: int
    """current is the number of rows in the current data, or in its window."""

    sampled: bool | None = None
    """sampled is true where a side had more rows than maxRows, and a sample was looked at."""

    without_timestamp: int | None = None
    """withoutTimestamp is how many rows of current were left out because nobody can read their timestamp."""


class LastCheck(ApiModel, frozen=True, kw_only=True):
    """The verdict of the newest check, written by its container."""

    # Whoever applies it replaces it whole, whoever has written a part of it: see
    # selfheal_jobs.delivery.status_patch.
    schema: ClassVar[Mapping[str, Any]] = {"x-kubernetes-map-type": "atomic"}

    scheduled_time: Time
    """scheduledTime is when the check was due."""

    job_name: Name
    """jobName is the Job that ran it."""

    start_time: Time | None = None
    """startTime of the container."""

    completion_time: Time | None = None
    """completionTime of the verdict."""

    result: CheckResult
    """result is NoDrift, Warning, Drift, Inconclusive or Error. By default only Drift leads to a
    retraining: see spec.trigger."""

    reason: ReasonWord
    """reason is one word for programs."""

    message: Annotated[str, Meta(max_length=4096)]
    """message is a sentence for people."""

    drift_share: Share | None = None
    """driftShare is the share of drifted columns, with four digits. Absent without a verdict."""

    columns_checked: int | None = None
    """columnsChecked is the number of columns compared."""

    columns_drifted: int | None = None
    """columnsDrifted is how many of them drifted."""

    top_drifted_columns: Annotated[list[DriftedColumn], Meta(max_length=10, extra_json_schema=ATOMIC)] = []
    """topDriftedColumns are the drifted columns furthest beyond their thresholds, at most ten."""

    methods: Annotated[list[MethodUse], Meta(max_length=10, extra_json_schema=ATOMIC)] = []
    """methods that judged the columns; MLflow has each column's. A change from one check to the next is told
    in message: it can move the verdict while the data stays."""

    skipped_columns: Annotated[list[SkippedColumn], Meta(max_length=10, extra_json_schema=ATOMIC)] = []
    """skippedColumns were not compared; at most ten are listed, message says how many there are."""

    new_categories: Annotated[list[NewCategories], Meta(max_length=10, extra_json_schema=ATOMIC)] = []
    """newCategories are columns with values that the reference lacks, most rows first, at most ten."""

    constant_columns: Annotated[list[ColumnName], Meta(max_length=10, extra_json_schema=ATOMIC)] = []
    """constantColumns hold one single value in the current data, and more in the reference; at most ten."""

    broken_columns: Annotated[list[ColumnName], Meta(max_length=10, extra_json_schema=ATOMIC)] = []
    """brokenColumns count as drifted because they turned constant or lost their values; at most ten.

    While there is one, the drift speaks of what delivers the data, and leads to no retraining."""

    columns_broken: int | None = None
    """columnsBroken is how many there are."""

    signals: Annotated[list[SignalStatus], Meta(max_length=10, extra_json_schema=map_list("name"))] = []
    """signals of the spec, and what was found of each."""

    rows: RowCounts | None = None
    """rows that were read."""

    current_identity: Word | None = None
    """currentIdentity tells the current data, and its labels, from other data: a digest of the files' names,
    sizes and times. Absent where the source has none."""

    reference_profile: Word | None = None
    """referenceProfile is a digest of the stored profile that told columns of the reference, which were then
    not read. Absent where all were read. It changes where another profile was stored."""

    run_id: Word | None = None
    """runID is the MLflow run that holds every number and the report. Absent if MLflow was out of reach."""

    report_uri: Text | None = None
    """reportURI is Evidently's report, an artifact of that run."""

    observed_generation: int
    """observedGeneration is the metadata.generation whose spec the check followed."""


class HistoryEntry(ApiModel, frozen=True, kw_only=True):
    """One past verdict."""

    scheduled_time: Time
    """scheduledTime is when the check was due."""

    result: CheckResult
    """result of the check."""

    drift_share: Share | None = None
    """driftShare of the check."""

    breached: Annotated[
        list[Annotated[str, Meta(max_length=63)]], Meta(max_length=11, extra_json_schema=ATOMIC)
    ] = []
    """breached is what spec.trigger counts: DataDrift, and the names of the signals that were breached.

    Empty where columns were broken."""


class RetrainingStatus(ApiModel, frozen=True, kw_only=True):
    """What the operator remembers of retrainings."""

    count: Annotated[int, Meta(ge=0, le=LARGEST_COUNT)] = 0
    """count is the number of retraining Jobs started; the next one's name is made from it."""

    last_start_time: Time | None = None
    """lastStartTime is when the newest one was started."""

    last_trigger_time: Time | None = None
    """lastTriggerTime is the scheduledTime of the check that led to it: one check leads to one retraining at
    most."""

    cooldown_until_time: Time | None = None
    """cooldownUntilTime is when the next one may start."""

    start_times: Annotated[list[Time], Meta(max_length=MOST_RUNS_PER_DAY, extra_json_schema=ATOMIC)] = []
    """startTimes are those of the day before lastStartTime, newest first: maxRunsPerDay counts them."""

    consecutive_failures: Annotated[int, Meta(ge=0, le=LARGEST_COUNT)] = 0
    """consecutiveFailures is how many of the newest ones failed in a row, since spec was last edited and
    since a retraining was last requested."""

    last_outcome_time: Time | None = None
    """lastOutcomeTime is the scheduledTime of the newest one that consecutiveFailures has counted."""


class MetricComparison(ApiModel, frozen=True, kw_only=True):
    """One metric on the held-out rows."""

    name: Word
    """name of the metric."""

    candidate: Decimal | None = None
    """candidate is the value of the best candidate."""

    champion: Decimal | None = None
    """champion is the value of the model that was present before. Absent if there was none."""

    difference: Decimal | None = None
    """difference by which the candidate is better; negative where it is worse. Of the primary metric only."""

    lower: Decimal | None = None
    """lower end of the interval of the difference."""

    upper: Decimal | None = None
    """upper end of the interval of the difference."""


class GateResult(ApiModel, frozen=True, kw_only=True):
    """What one gate found of the best candidate."""

    name: Word
    """name of the gate."""

    passed: bool
    """passed says whether the candidate may be registered as far as this gate is concerned."""

    message: Annotated[str, Meta(max_length=512)]
    """message is a sentence for people."""


class TrainingRows(ApiModel, frozen=True, kw_only=True):
    """Rows that a retraining used."""

    train: int
    """train is the number of rows that the candidates learnt from."""

    test: int
    """test is the number of rows held out for the scores."""


class LastRetraining(ApiModel, frozen=True, kw_only=True):
    """The outcome of the newest retraining, written by its container."""

    scheduled_time: Time
    """scheduledTime is when the check was due that led to it, or when it was asked for."""

    job_name: Name
    """jobName is the Job that ran it."""

    start_time: Time | None = None
    """startTime of the container."""

    completion_time: Time | None = None
    """completionTime of the outcome."""

    result: RetrainResult
    """result is Registered, NotImproved, Inconclusive or Failed."""

    reason: ReasonWord
    """reason is one word for programs."""

    message: Annotated[str, Meta(max_length=4096)]
    """message is a sentence for people."""

    candidate: Word | None = None
    """candidate is the best one's name."""

    version: Word | None = None
    """version that was registered. Absent if none was."""

    champion_version: Word | None = None
    """championVersion is the version that was present before. Absent if there was none."""

    alias_version: Word | None = None
    """aliasVersion is the version that mlflow.championAlias was on. Absent if there was no such alias."""

    run_id: Word | None = None
    """runID is the parent MLflow run that holds the comparison."""

    metrics: Annotated[list[MetricComparison], Meta(max_length=10, extra_json_schema=ATOMIC)] = []
    """metrics of the best candidate and of the champion, on the same held-out rows."""

    gates: Annotated[list[GateResult], Meta(max_length=16, extra_json_schema=map_list("name"))] = []
    """gates that the best candidate had to pass, in their order. It was registered where all passed,
    or, for a person to decide, all but health and leak."""

    rows: TrainingRows | None = None
    """rows that were used."""

    current_identity: Word | None = None
    """currentIdentity of the data that it learnt from, as in lastCheck."""

    cpu_seconds: Annotated[int, Meta(ge=0)] | None = None
    """cpuSeconds is the CPU time of the container until the decision."""

    observed_generation: int
    """observedGeneration is the metadata.generation whose spec the retraining followed."""


class ModelVersion(ApiModel, frozen=True, kw_only=True):
    """The present champion: the version that a retraining registered, or that a check found in MLflow."""

    # Each kind of run writes it: whoever does replaces it whole.
    schema: ClassVar[Mapping[str, Any]] = {"x-kubernetes-map-type": "atomic"}

    name: Annotated[str, Meta(max_length=256)]
    """name of the registered model."""

    version: Word
    """version in MLflow's registry."""

    previous_version: Word | None = None
    """previousVersion is the one that it replaced."""

    alias: Annotated[str, Meta(max_length=255)] | None = None
    """alias that the version has: mlflow.championAlias. Absent where it has none, and is the newest one."""

    promoted_time: Time | None = None
    """promotedTime is when the monitor moved the alias to it. Absent where somebody else did."""

    target: ColumnName | None = None
    """target that it predicts. Absent where the version does not say."""

    run_id: Word | None = None
    """runID is the MLflow run that trained it. Absent where the version names none."""

    registered_time: Time
    """registeredTime is when it was registered."""

    trained_until_time: Time | None = None
    """trainedUntilTime is the newest timestamp among the rows that it learnt. Absent without timestamps."""

    digest: Annotated[str, Meta(max_length=64, pattern="^[0-9a-f]{64}$")] | None = None
    """digest is the SHA-256 of its files, recorded when it was registered, or else by the first retraining
    that compared it. A version with other files is not loaded (ChampionChanged)."""

    origin: Origin | None = None
    """origin says who made it: a retraining of this monitor, or anyone else."""

    def is_of(self, name: str, target: str) -> bool:
        """Return whether it is a version of that registered model, and does not predict another target."""
        return self.name == name and self.target in (None, target)

    def has_files_of(self, other: "ModelVersion") -> bool:
        """Return whether both are one version with one record of its files."""
        same = ("name", "version", "registered_time", "digest", "origin")
        return all(getattr(self, field) == getattr(other, field) for field in same)

    def without_digest(self) -> "ModelVersion":
        """Return it without digest and origin, for which only a retraining vouches."""
        return self.replaced(digest=None, origin=None)


class PromotionIntent(ApiModel, frozen=True, kw_only=True):
    """What the newest promotion or rollback is to do. It is stored before its Job is created."""

    version: Word
    """version that gets the alias."""

    expected_version: Word | None = None
    """expectedVersion is the version that the alias is moved from. Absent if there is no such alias yet.

    If the alias is on another one, it is left there."""

    direction: PromotionDirection = PromotionDirection.PROMOTE
    """direction is Promote or Rollback."""

    approved_by: Annotated[str, Meta(max_length=512)]
    """approvedBy says who or what has decided it."""

    decided_time: Time
    """decidedTime is when it was decided, or tried again."""

    attempts: Annotated[int, Meta(ge=1, le=LARGEST_COUNT)] = 1
    """attempts is how often it was started."""


class PendingPromotion(ApiModel, frozen=True, kw_only=True):
    """A version that waits for the decision of a person."""

    version: Word
    """version that would get the alias."""

    expected_version: Word | None = None
    """expectedVersion is the version that the alias was on when both were compared."""

    since_time: Time
    """sinceTime is when it began to wait."""

    message: Annotated[str, Meta(max_length=1024)]
    """message says why a person is asked, and what there is to see."""


class PromotionDecision(ApiModel, frozen=True, kw_only=True):
    """What became of the newest decision."""

    reason: ReasonWord
    """reason is Approved, Rejected, ApprovalTimedOut, RollbackRequested or InvalidDecision."""

    message: Annotated[str, Meta(max_length=512)]
    """message is a sentence for people."""


class PromotionWatch(ApiModel, frozen=True, kw_only=True):
    """How the newest promoted version does, beside the one before it."""

    version: Word
    """version that was promoted."""

    previous_version: Word
    """previousVersion is the one that an automatic rollback goes back to."""

    signal: Annotated[str, Meta(max_length=63)]
    """signal of type Performance that is compared."""

    before: Decimal
    """before is its value in the newest check before the promotion."""

    worse_checks: Annotated[int, Meta(ge=0, le=LARGEST_COUNT)] = 0
    """worseChecks is how many of the newest checks in a row were worse by more than promotion.margin."""

    last_check_time: Time
    """lastCheckTime is the scheduledTime of the newest check that was counted, or that was before the
    promotion."""


class PromotionStatus(ApiModel, frozen=True, kw_only=True):
    """What the operator remembers of promotions."""

    count: Annotated[int, Meta(ge=0, le=LARGEST_COUNT)] = 0
    """count is the number of promotion Jobs decided; the name of the newest one is made from it."""

    intent: PromotionIntent | None = None
    """intent of the newest one."""

    last_retraining_time: Time | None = None
    """lastRetrainingTime is the scheduledTime of the newest retraining whose version was decided upon."""

    previous: ModelVersion | None = None
    """previous is what was recorded of the version that the newest intent moves the alias from."""

    pending: PendingPromotion | None = None
    """pending is the version that waits for a decision."""

    watch: PromotionWatch | None = None
    """watch compares the newest promoted version with the one before, for an automatic rollback."""

    last_handled_decision: Annotated[str, Meta(max_length=256)] | None = None
    """lastHandledDecision is the newest value of the annotation selfheal.dev/decision that was handled."""

    last_decision: PromotionDecision | None = None
    """lastDecision says what became of it, or that nobody has decided in time."""


class LastPromotion(ApiModel, frozen=True, kw_only=True):
    """The outcome of the newest promotion or rollback, written by its container."""

    schema: ClassVar[Mapping[str, Any]] = {"x-kubernetes-map-type": "atomic"}

    scheduled_time: Time
    """scheduledTime is when it was decided."""

    job_name: Name
    """jobName is the Job that ran it."""

    start_time: Time | None = None
    """startTime of the container."""

    completion_time: Time | None = None
    """completionTime of the outcome."""

    result: PromotionResult
    """result is Promoted, Stopped (nothing was changed) or Failed (it is tried again)."""

    reason: ReasonWord
    """reason is one word for programs."""

    message: Annotated[str, Meta(max_length=4096)]
    """message is a sentence for people."""

    version: Word | None = None
    """version that was to get the alias."""

    observed_generation: int
    """observedGeneration is the metadata.generation whose spec it followed."""


class ModelMonitorStatus(ApiModel, frozen=True, kw_only=True):
    """What selfheal has seen and done.

    Containers write task, target, lastCheck, lastRetraining, lastPromotion, model and challenger; the
    operator writes all else.
    """

    observed_generation: int | None = None
    """observedGeneration is the metadata.generation that the operator has acted upon."""

    task: Task | None = None
    """task is the task of the spec, or the one inferred from the target."""

    target: ColumnName | None = None
    """target that task belongs to: where spec names another one, task counts as unknown."""

    conditions: Annotated[list[Condition], Meta(max_length=16, extra_json_schema=map_list("type"))] = []
    """conditions: Ready, DriftDetected, Retraining, RetrainingFailed, Stalled, Promoted and
    PromotionPending."""

    active: Annotated[list[ActiveJob], Meta(max_length=4, extra_json_schema=map_list("name"))] = []
    """active are the Jobs of this monitor that have not reported yet, and retrainings that have not ended."""

    last_schedule_time: Time | None = None
    """lastScheduleTime is the newest scheduled time that was started or passed over; it never goes back."""

    next_check_time: Time | None = None
    """nextCheckTime is when the next check is due, without its share of spreadSeconds.

    Absent while suspended or invalid."""

    last_successful_check_time: Time | None = None
    """lastSuccessfulCheckTime is when the newest check that could look completed."""

    last_failed_check_time: Time | None = None
    """lastFailedCheckTime is when the newest check that could not look ended."""

    missed_checks: int | None = None
    """missedChecks is the number of scheduled times that passed without a check.

    After an outage only the newest check that is due is started; the others are counted here.
    """

    last_handled_check_request: Annotated[str, Meta(max_length=256)] | None = None
    """lastHandledCheckRequest is the newest token of the annotation selfheal.dev/check-requested-at that was
    answered by a check."""

    last_handled_retrain_request: Annotated[str, Meta(max_length=256)] | None = None
    """lastHandledRetrainRequest is the newest token of the annotation selfheal.dev/retrain-requested-at that
    was answered by a retraining."""

    last_check: LastCheck | None = None
    """lastCheck is the verdict of the newest check."""

    history: Annotated[list[HistoryEntry], Meta(max_length=10, extra_json_schema=ATOMIC)] = []
    """history holds the newest ten verdicts, newest first."""

    retraining: RetrainingStatus = RetrainingStatus()
    """retraining is what the operator remembers of retrainings."""

    last_retraining: LastRetraining | None = None
    """lastRetraining is the outcome of the newest retraining."""

    model: ModelVersion | None = None
    """model is the present champion: the version with the alias mlflow.championAlias, else the newest one."""

    challenger: ModelVersion | None = None
    """challenger is the newest version that a retraining registered and that is to be promoted."""

    promotion: PromotionStatus = PromotionStatus()
    """promotion is what the operator remembers of promotions."""

    last_promotion: LastPromotion | None = None
    """lastPromotion is the outcome of the newest promotion or rollback."""

    @property
    def recorded_versions(self) -> list[ModelVersion]:
        """Return all versions that are recorded, those that a promotion is about first."""
        recorded = (self.challenger, self.promotion.previous, self.model)
        return [each for each in recorded if each is not None]
