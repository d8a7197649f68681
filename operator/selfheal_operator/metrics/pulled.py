"""Gauges whose values are computed at each scrape and not stored."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

Values = Mapping[tuple[str, ...], float]
"""Values by the tuple of label values."""


@dataclass(slots=True, eq=False)
class PulledGauge(Collector):
    """A gauge with exactly the series that `read` returns at the time of the scrape."""

    name: str
    help: str
    labels: tuple[str, ...]
    read: Callable[[], Values] = dict

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Return the family without values."""
        return [GaugeMetricFamily(self.name, self.help, labels=self.labels)]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return the family with its current values."""
        family = GaugeMetricFamily(self.name, self.help, labels=self.labels)
        for labels, value in self.read().items():
            family.add_metric(labels, value)
        return [family]
