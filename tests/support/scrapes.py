"""What Prometheus would read from /metrics."""

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


@dataclass(frozen=True)
class Scrape:
    """One answer, read."""

    text: str

    @property
    def families(self) -> dict[str, Metric]:
        """All metrics by name; the parser leaves _total off a counter's."""
        return {family.name: family for family in text_string_to_metric_families(self.text)}

    def samples(self, name: str, **labels: str) -> list[Sample]:
        """Return the samples of that name that have these labels, and perhaps others."""
        return [
            sample
            for sample in self._samples()
            if sample.name == name and labels.items() <= sample.labels.items()
        ]

    def value(self, name: str, **labels: str) -> float | None:
        """Return the value of the one series with these labels; None if there is none."""
        samples = self.samples(name, **labels)
        assert len(samples) <= 1, f"{labels} are the labels of several series of {name}"
        return float(samples[0].value) if samples else None

    def _samples(self) -> Iterator[Sample]:
        for family in text_string_to_metric_families(self.text):
            yield from family.samples
