"""Words for the difference between two models, with its interval. Pure."""

from selfheal_jobs.retrain.intervals import Interval
from selfheal_operator.api.model import format_number


def number(value: float) -> str:
    """Return a score as the status has it, but never as a negative zero.

    >>> number(0.04784), number(-0.00001)
    ('0.0478', '0.0000')
    """
    return format_number(round(value, 4) + 0.0)


def difference(value: float) -> str:
    """Return by how much a model is better or worse.

    >>> difference(0.25), difference(-0.25), difference(-0.00001)
    ('better by 0.2500', 'worse by 0.2500', 'equal')
    """
    rounded = round(value, 4)
    return "equal" if rounded == 0 else f"{'better' if rounded > 0 else 'worse'} by {number(abs(value))}"


def ends(found: Interval) -> str:
    """Return the ends of an interval."""
    return f"{number(found.lower)} to {number(found.upper)}"


def share(found: Interval) -> str:
    """Return in how many of the resamples the model is better, and how many are needed."""
    return f"better in {found.better:.1%} of the resamples, {found.needed:.1%} needed"
