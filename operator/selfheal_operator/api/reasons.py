"""Closed sets of words that users and their tools match on. Add freely, rename never."""

from enum import StrEnum


class Task(StrEnum):
    """What the model predicts."""

    CLASSIFICATION = "Classification"
    REGRESSION = "Regression"


class Purpose(StrEnum):
    """What a Job is for."""

    CHECK = "Check"
    RETRAIN = "Retrain"
    PROMOTE = "Promote"
    """It moves the alias of the champion, on to a new version or back to an earlier one."""


class CheckResult(StrEnum):
    """How a drift check ended. Only `DRIFT` may ever lead to a retraining."""

    NO_DRIFT = "NoDrift"
    WARNING = "Warning"
    DRIFT = "Drift"
    INCONCLUSIVE = "Inconclusive"
    """The data is there, but supports no verdict."""
    ERROR = "Error"
    """We could not look."""


class SignalResult(StrEnum):
    """What a check found of a signal."""

    BREACHED = "Breached"
    WITHIN_LIMITS = "WithinLimits"
    UNKNOWN = "Unknown"
    """Nobody could tell; never taken for either of the others."""


class Origin(StrEnum):
    """Who made a model version."""

    RETRAINING = "Retraining"
    """A retraining of this monitor."""
    FOUND = "Found"
    """Anyone else: it was found in MLflow."""


class RetrainResult(StrEnum):
    """How a retraining ended."""

    REGISTERED = "Registered"
    NOT_IMPROVED = "NotImproved"
    INCONCLUSIVE = "Inconclusive"
    """The data is there, but cannot show whether a new version would be better."""
    FAILED = "Failed"


class PromotionDirection(StrEnum):
    """Which way an alias is moved."""

    PROMOTE = "Promote"
    ROLLBACK = "Rollback"


class PromotionResult(StrEnum):
    """How a promotion or a rollback ended."""

    PROMOTED = "Promoted"
    """The alias is on the version."""
    STOPPED = "Stopped"
    """Nothing was changed, and trying again would not help."""
    FAILED = "Failed"
    """It is not known whether the alias was moved: it is tried again."""


class ConditionType(StrEnum):
    """Conditions of a ModelMonitor."""

    READY = "Ready"
    DRIFT_DETECTED = "DriftDetected"
    RETRAINING = "Retraining"
    RETRAINING_FAILED = "RetrainingFailed"
    STALLED = "Stalled"
    PROMOTED = "Promoted"
    PROMOTION_PENDING = "PromotionPending"


class ConditionStatus(StrEnum):
    """Status of a condition, as in all of Kubernetes."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Reason(StrEnum):
    """Reasons of conditions and Events, and of the containers' reports."""

    # Ready
    MONITOR_ACTIVE = "MonitorActive"
    SUSPENDED = "Suspended"
    INVALID_SPEC = "InvalidSpec"
    """The user must edit the spec."""
    JOB_REJECTED = "JobRejected"
    """The API server refused the Job: quota, admission, or an invalid podTemplate."""
    NAME_CONFLICT = "NameConflict"
    """A Job that is not ours has the name that ours needs."""
    JOB_TERMINATING = "JobTerminating"
    """A Job that is not ours has the name that ours needs, and is being deleted."""
    POD_NOT_STARTING = "PodNotStarting"
    CHECKS_FAILING = "ChecksFailing"
    QUEUED = "Queued"
    """Also of Retraining: a queue such as Kueue's holds the Job (its spec.suspend is true)."""

    # DriftDetected, and results of checks
    NOT_YET_CHECKED = "NotYetChecked"
    THRESHOLD_EXCEEDED = "ThresholdExceeded"
    WITHIN_THRESHOLD = "WithinThreshold"
    WARNING_THRESHOLD_EXCEEDED = "WarningThresholdExceeded"
    EMPTY_DATA = "EmptyData"
    NOTHING_TO_COMPARE = "NothingToCompare"
    """No column is left to compare: all are skipped."""
    TOO_FEW_ROWS_FOR_METHOD = "TooFewRowsForMethod"
    """No drift was seen, but drift could not have been seen in so few rows."""
    REPEATED_ROWS = "RepeatedRows"
    """Copies of few rows are drift, and the distinct rows are not."""

    # why a check could not look
    DATA_NOT_FOUND = "DataNotFound"
    DATA_UNREADABLE = "DataUnreadable"
    """There is something, but it is no table that can be read."""
    DATA_ACCESS_DENIED = "DataAccessDenied"
    """The credential of a data source is missing, wrong, or does not allow it."""
    DATA_UNREACHABLE = "DataUnreachable"
    """The server of a data source does not answer."""
    COLUMN_MISSING = "ColumnMissing"
    COLUMN_TYPE_CHANGED = "ColumnTypeChanged"
    COLUMN_EMPTY = "ColumnEmpty"
    """The policy wants values in every column of the current data."""
    COLUMN_UNEXPECTED = "ColumnUnexpected"
    """The policy wants no column that the reference lacks."""
    METHOD_NOT_APPLICABLE = "MethodNotApplicable"
    """A method of spec.drift does not fit the column's kind, or says nothing about such values."""
    LABELS_NOT_AVAILABLE = "LabelsNotAvailable"
    """Labels are needed, and none belongs to a row that counts."""
    METRIC_NOT_APPLICABLE = "MetricNotApplicable"
    """A signal's metric says nothing about such values."""
    OUTSIDE_LIMITS = "OutsideLimits"
    """A signal's value is below minValue or above maxValue."""
    INSIDE_LIMITS = "InsideLimits"
    CHECK_FAILED = "CheckFailed"
    """The container ended without a report: killed, out of memory, past its deadline, or a defect of ours."""

    # Retraining
    NEVER_NEEDED = "NeverNeeded"
    DRIFT_TRIGGERED = "DriftTriggered"
    SIGNAL_TRIGGERED = "SignalTriggered"
    """A breached signal led to the retraining, and drift did not."""
    OBSERVING = "Observing"
    """spec.mode is Observe."""
    DEBOUNCING = "Debouncing"
    """Fewer checks are breached than spec.trigger asks for."""
    COOLING_DOWN = "CoolingDown"
    DAILY_LIMIT_REACHED = "DailyLimitReached"
    """spec.retraining.maxRunsPerDay have started within 24 hours."""
    STALLED = "Stalled"
    """spec.retraining.maxConsecutiveFailures have failed in a row."""
    NO_NEW_ROWS = "NoNewRows"
    """The last retraining was refused, and the current data is still the same."""
    INVALID_REQUEST = "InvalidRequest"
    """The annotation that requests a retraining has an unknown option."""
    WAITING_FOR_CAPACITY = "WaitingForCapacity"
    """As many retrainings run as the platform team allows at once."""
    RETRAINING_DISABLED = "RetrainingDisabled"
    AWAITING_REQUEST = "AwaitingRequest"
    RETRAINING_REQUESTED = "RetrainingRequested"
    MODEL_REGISTERED = "ModelRegistered"
    NO_IMPROVEMENT = "NoImprovement"
    GATE_FAILED = "GateFailed"
    """The best candidate is better than the present version, and fails another gate of spec.promotion."""
    TOO_FEW_NEW_ROWS = "TooFewNewRows"
    """Too few rows that the present version has not learnt."""

    # RetrainingFailed, and results of retrainings
    NOT_YET_RETRAINED = "NotYetRetrained"
    TRAINING_FAILED = "TrainingFailed"
    TOO_FEW_ROWS = "TooFewRows"
    """Also of a check and of a signal: fewer rows than spec.dataset.minRows."""
    TARGET_UNUSABLE = "TargetUnusable"
    DATA_NOT_USABLE = "DataNotUsable"
    """A feed is broken: columns turned constant or empty, or the target has another type or other classes."""
    CHAMPION_NOT_SCORABLE = "ChampionNotScorable"
    """The present version cannot be asked, or its answers cannot be compared with the labels."""
    CHAMPION_CHANGED = "ChampionChanged"
    """The files of the present version are not those that the status has recorded."""
    MLFLOW_UNAVAILABLE = "MLflowUnavailable"
    RETRAINING_FAILED = "RetrainingFailed"
    """The container ended without a report."""

    # Stalled
    TOO_MANY_FAILURES = "TooManyFailures"
    FEW_FAILURES = "FewFailures"
    """Fewer than spec.retraining.maxConsecutiveFailures in a row."""

    # PromotionPending
    NOTHING_PENDING = "NothingPending"
    AWAITING_APPROVAL = "AwaitingApproval"
    """A person has to decide, by the annotation selfheal.dev/decision."""
    APPROVED = "Approved"
    REJECTED = "Rejected"
    APPROVAL_TIMED_OUT = "ApprovalTimedOut"
    """Nobody has decided within spec.promotion.approvalTimeoutSeconds: the version is not promoted."""
    ROLLBACK_REQUESTED = "RollbackRequested"
    INVALID_DECISION = "InvalidDecision"
    """The annotation selfheal.dev/decision has no decision, or one that cannot be carried out."""

    # Promoted, and results of promotions
    NOT_YET_PROMOTED = "NotYetPromoted"
    PROMOTION_RUNNING = "PromotionRunning"
    """Also of Retraining: the champion is about to change."""
    MODEL_PROMOTED = "ModelPromoted"
    MODEL_ROLLED_BACK = "ModelRolledBack"
    ALIAS_MOVED_ELSEWHERE = "AliasMovedElsewhere"
    """The alias is not on the version that the promotion expects there, so it was left where it is."""
    VERSION_NOT_FOUND = "VersionNotFound"
    """The version to promote is not in MLflow."""
    PROMOTION_FAILED = "PromotionFailed"
    """The container ended without a report, or by a defect of ours."""

    # Events only
    RETRAINING_STARTED = "RetrainingStarted"
    DRIFT_DETECTED = "DriftDetected"
    DRIFT_RESOLVED = "DriftResolved"
    CHECK_INCONCLUSIVE = "CheckInconclusive"
    CHECKS_MISSED = "ChecksMissed"
    CHECK_REPLACED = "CheckReplaced"
