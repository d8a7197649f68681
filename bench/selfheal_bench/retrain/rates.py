"""How often retrainings of one world promoted, and how often that was wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np

_CLEARLY_BETTER: Final = 0.02


@dataclass(frozen=True, kw_only=True)
class Decided:
    """One retraining, without its models: a process hands over what it can send."""

    promoted: bool
    better: float | None
    """By how much the best candidate is really better than the champion; None if nobody compared them."""
    errors: Mapping[str, float] = field(default_factory=dict)
    """Of the deployed model on the rows that follow, by policy."""


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Counts of the retrainings of one world."""

    runs: int
    promoted: int
    promoted_and_worse: int
    """By more than the margin, on fresh rows."""
    wrongly_refused: int
    """Not promoted, and better by 2 % on fresh rows."""
    mean_gain: float
    """Of the best candidate over the champion on fresh rows; NaN where nobody compared them."""
    mean_errors: Mapping[str, float] = field(default_factory=dict)
    """Of the deployed models on the rows that follow, by policy; empty where policies are not compared."""

    @property
    def promoted_share(self) -> float:
        """Return the share of retrainings that registered a version."""
        return self.promoted / self.runs

    @property
    def worse_share(self) -> float:
        """Return the share of all retrainings that registered a version that is worse."""
        return self.promoted_and_worse / self.runs

    @property
    def wrongly_refused_share(self) -> float:
        """Return the share of all retrainings that refused a version that is better."""
        return self.wrongly_refused / self.runs

    @property
    def error_to_always(self) -> float:
        """Return the mean error of what selfheal deployed as a share of that of always promoting."""
        return self.mean_errors["selfheal"] / self.mean_errors["always"]

    def to_json(self) -> dict[str, Any]:
        """Return the counts; a mean that is not known is None."""
        return {
            name: None if isinstance(value, float) and np.isnan(value) else value
            for name, value in asdict(self).items()
        }


def rates_of(runs: Sequence[Decided], margin: float) -> Rates:
    """Count the retrainings."""
    known = [run.better for run in runs if run.better is not None]
    return Rates(
        runs=len(runs),
        promoted=sum(run.promoted for run in runs),
        promoted_and_worse=sum(run.promoted and (run.better or 0) < -margin for run in runs),
        wrongly_refused=sum(not run.promoted and (run.better or 0) >= _CLEARLY_BETTER for run in runs),
        mean_gain=float(np.mean(known)) if known else float("nan"),
        mean_errors={
            policy: float(np.mean([run.errors[policy] for run in runs])) for policy in runs[0].errors
        },
    )
