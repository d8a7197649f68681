"""Prediction drift: compares the predictions on the reference with those on the current data."""

from typing import Final

from selfheal_jobs.check.column_drift import drift_of
from selfheal_jobs.check.signal_result import SignalFinding
from selfheal_jobs.check.signal_tables import SignalTables
from selfheal_operator.api.v1alpha1.signals import Signal
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec


class PredictionDrift:
    """Needs spec.dataset.columns.prediction, and no labels."""

    def columns_needed(self, spec: ModelMonitorSpec) -> frozenset[str]:
        """Return the column of the predictions."""
        return frozenset(filter(None, [spec.dataset.columns.prediction]))

    def evaluate(self, signal: Signal, tables: SignalTables) -> SignalFinding:
        """Return whether it has drifted; raise DataError if that is unknown."""
        return drift_of(signal, tables.prediction(), tables.current, tables)


SIGNAL: Final = PredictionDrift()
