"""Target drift: compares the labels of the reference with those of the current data."""

from typing import Final

from selfheal_jobs.check.column_drift import drift_of
from selfheal_jobs.check.signal_result import SignalFinding
from selfheal_jobs.check.signal_tables import SignalTables
from selfheal_operator.api.v1alpha1.signals import Signal
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec


class TargetDrift:
    """Needs labels."""

    def columns_needed(self, spec: ModelMonitorSpec) -> frozenset[str]:
        """Return none: the target is read in any case."""
        del spec
        return frozenset()

    def evaluate(self, signal: Signal, tables: SignalTables) -> SignalFinding:
        """Return whether it has drifted; raise DataError if that is unknown."""
        return drift_of(signal, tables.spec.target, tables.labelled(), tables)


SIGNAL: Final = TargetDrift()
