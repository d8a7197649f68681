"""`spec.trigger`: what a check has to find, and how often, for a retraining."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta

from selfheal_operator.api.model import ApiModel
from selfheal_operator.api.v1alpha1.schema import cel_rule, cel_rules

DATA_DRIFT: Final = "DataDrift"
"""In `on`: the result Drift. No signal can have this name, which has capitals."""

MOST_CHECKS: Final = 10
"""As many as status.history holds."""


class Trigger(ApiModel, frozen=True, kw_only=True):
    """What a check has to find, and how often, for a retraining."""

    schema: ClassVar[Mapping[str, Any]] = cel_rules(
        cel_rule(
            "!has(self.withinChecks)"
            " || self.withinChecks >= (has(self.consecutiveBreaches) ? self.consecutiveBreaches : 1)",
            "withinChecks must be at least consecutiveBreaches",
            field="withinChecks",
        ),
    )

    on: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=63)], ...],
        Meta(min_length=1, max_length=11, extra_json_schema={"x-kubernetes-list-type": "set"}),
    ] = (DATA_DRIFT,)
    """on lists what can trigger a retraining: DataDrift, which is the result Drift, and names of signals.

    Absent: DataDrift. A signal triggers when it is breached.
    """

    policy: Literal["Any", "All"] = "Any"
    """policy says whether one check must breach one entry of on, or all of them. Defaults to Any."""

    consecutive_breaches: Annotated[int, Meta(ge=1, le=MOST_CHECKS)] = 1
    """consecutiveBreaches is how many checks must be breached, the newest one among them. Defaults to 1.

    A check counts once: those that an earlier retraining answered are not counted again.
    """

    within_checks: Annotated[int, Meta(ge=1, le=MOST_CHECKS)] | None = None
    """withinChecks is the number of newest checks in which they are counted.

    Absent: as many as consecutiveBreaches, so that they must follow one another. A check that reached no
    verdict is not counted: it is no evidence of either.
    """

    @property
    def window(self) -> int:
        """Return in how many of the newest checks breaches are counted."""
        return self.within_checks or self.consecutive_breaches

    def is_met_by(self, breached: Collection[str]) -> bool:
        """Return whether a check that breached these names counts as a breach."""
        return (all if self.policy == "All" else any)(name in breached for name in self.on)
