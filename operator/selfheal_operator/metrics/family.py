"""The metadata of a metric."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """A metric family: all series of one name."""

    name: str
    """The name used in queries: a counter's with _total, a histogram's without _bucket, _sum and _count."""
    type: str
    labels: tuple[str, ...]
    help: str
