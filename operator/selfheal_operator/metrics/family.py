"""What Prometheus is told of a metric beside its values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """All series of one name."""

    name: str
    """As it is asked for: a counter's with _total, a histogram's without _bucket, _sum and _count."""
    type: str
    labels: tuple[str, ...]
    help: str
