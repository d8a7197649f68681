"""The faults, as data."""

from dataclasses import asdict, dataclass
from enum import Enum, StrEnum
from typing import Any, Final

from testbed.call_kind import CallKind


class Target(StrEnum):
    """The target of a fault. Faults of one target are injected in sequence, those of several concurrently."""

    OPERATOR_A = "operator-a"
    OPERATOR_B = "operator-b"
    OPERATOR_C = "operator-c"
    SERVER = "server"
    USERS = "users"
    RUNS = "runs"
    MLFLOW = "mlflow"


OPERATORS = (Target.OPERATOR_A, Target.OPERATOR_B, Target.OPERATOR_C)


class Kind(Enum):
    """The kinds of faults, each with its title and its share of the plan."""

    # One call of one operator.
    KILL_BEFORE = ("kill -9 before a call is forwarded", 16)
    KILL_AFTER = ("kill -9 after a call was committed", 16)
    LOST_CALL = ("call lost on its way", 4)
    LOST_ANSWER = ("answer lost after the commit", 8)
    LATE_CALL = ("call delivered after its sender gave up", 4)
    SLOW_ANSWER = ("answer delayed", 4)
    STALLED_ANSWER = ("answer never comes, connection stays", 2)
    ERROR_BEFORE = ("5xx, nothing committed", 4)
    ERROR_AFTER = ("5xx, but committed", 5)

    # All calls of one operator, for a while.
    THROTTLED = ("429 with Retry-After, for a while", 2)
    UNAVAILABLE = ("5xx for a while", 2)
    PARTITION = ("partition, connections break", 3)
    BLACK_HOLE = ("partition, connections stall", 2)

    # The watches of one operator.
    WATCH_CUT = ("watch cut", 3)
    WATCH_TORN = ("watch cut in the middle of an event", 2)
    WATCH_GONE = ("watch ends with 410 Gone", 3)
    WATCH_ERROR = ("watch ends with another ERROR", 2)
    WATCH_STALL = ("watch silent for a while", 3)

    # The process.
    KILL = ("kill -9 at any moment", 3)
    TERMINATE = ("SIGTERM and restart", 2)
    FREEZE = ("SIGSTOP, later SIGCONT", 5)
    CLOCK_AHEAD = ("clock stepped forward", 3)
    CLOCK_BEHIND = ("clock stepped back", 3)

    # The shared API server.
    SERVER_KILL = ("API server killed and restarted", 1)
    COMPACTION = ("etcd compacted", 2)

    # Users.
    RECREATE = ("monitor deleted and made anew", 8)
    SUSPEND = ("monitor suspended, later resumed", 4)
    EDIT_SCHEDULE = ("schedule edited", 5)
    EDIT_OTHER = ("spec edited, not its schedule", 3)
    REQUEST_CHECK = ("check asked for", 4)
    REQUEST_RETRAINING = ("retraining asked for", 3)

    # People who decide on versions, with selfheal and without it.
    DECISION = ("version approved, rejected or rolled back", 5)
    ALIAS_MOVED = ("alias moved in MLflow by a person", 5)

    # Those who may write what operators believe, or what they cannot read.
    FORGED_STATUS = ("status forged", 8)
    POISON = ("object stored that operators cannot read", 3)

    # Runs.
    RUN_FAILS = ("run fails without a report", 3)
    RUN_NEVER_ENDS = ("run goes on until its deadline", 1)
    RUN_ONLY_LAST_WORDS = ("report never reaches the API server", 3)
    RUN_FAILS_AFTER_REPORT = ("run reports, then fails", 2)
    RUN_SLOW = ("run takes longer than its interval", 3)
    RUN_REFUSED_REPORT = ("run leaves a report that the API server refuses", 3)

    # MLflow, as promotions see it.
    PROMOTION_DEATH = ("promotion dies after a request to MLflow", 4)
    PROMOTION_LOST_ANSWER = ("answer of MLflow lost in a promotion", 4)
    MLFLOW_AWAY = ("MLflow away for a while", 3)

    def __init__(self, title: str, share: int) -> None:
        self.title = title
        self.share = share


CALL_KINDS = frozenset(
    {
        Kind.KILL_BEFORE,
        Kind.KILL_AFTER,
        Kind.LOST_CALL,
        Kind.LOST_ANSWER,
        Kind.LATE_CALL,
        Kind.SLOW_ANSWER,
        Kind.STALLED_ANSWER,
        Kind.ERROR_BEFORE,
        Kind.ERROR_AFTER,
    }
)
"""The kinds of faults that wait for a matching call."""

_SERVER = frozenset({Kind.SERVER_KILL, Kind.COMPACTION})
_USERS = frozenset(
    {
        Kind.RECREATE,
        Kind.SUSPEND,
        Kind.EDIT_SCHEDULE,
        Kind.EDIT_OTHER,
        Kind.REQUEST_CHECK,
        Kind.REQUEST_RETRAINING,
        Kind.FORGED_STATUS,
        Kind.POISON,
        Kind.DECISION,
        Kind.ALIAS_MOVED,
    }
)
_RUNS = frozenset(kind for kind in Kind if kind.name.startswith("RUN_"))
_PROMOTIONS = frozenset({Kind.PROMOTION_DEATH, Kind.PROMOTION_LOST_ANSWER, Kind.MLFLOW_AWAY})
OF_PROMOTIONS: Final = (
    *(kind for kind in Kind if kind in CALL_KINDS or kind in _PROMOTIONS),
    *(Kind.DECISION, Kind.ALIAS_MOVED, Kind.KILL, Kind.TERMINATE, Kind.FREEZE),
    *(Kind.RUN_FAILS, Kind.RUN_ONLY_LAST_WORDS, Kind.RUN_FAILS_AFTER_REPORT, Kind.RUN_REFUSED_REPORT),
)
"""What can come between the arrows of a promotion: decision, intent, look, set, second look, report."""


def targets_of(kind: Kind) -> tuple[Target, ...]:
    """Return the possible targets of that kind of fault."""
    if kind in _SERVER:
        return (Target.SERVER,)
    if kind in _USERS:
        return (Target.USERS,)
    if kind in _RUNS:
        return (Target.RUNS,)
    if kind in _PROMOTIONS:
        return (Target.MLFLOW,)
    return OPERATORS


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault of the plan."""

    number: int
    kind: Kind
    target: Target
    pause: float
    """Seconds without a fault on the target before this one."""
    calls: CallKind
    """The kind of call it applies to, if it affects a call."""
    spared: int
    """How many such calls pass first."""
    seconds: float
    """Its duration in seconds, if it has one."""
    down: float
    """Seconds until the killed process is restarted."""
    choice: int
    """Selects the monitor or the error, modulo their number."""

    def as_line(self) -> dict[str, Any]:
        """Return the fault's journal entry."""
        return asdict(self) | {"kind": self.kind.name}
