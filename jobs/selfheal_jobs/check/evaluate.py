"""Evaluates the signals of a spec: what a check monitors in addition to the drift of the columns.

A signal is breached, within its limits, or unknown. If labels have not arrived, a column is missing or there
are too few rows, the signal is unknown: this counts neither as breached nor as within the limits.
"""

import logging
import traceback
from importlib import import_module
from typing import Protocol

from selfheal_jobs.check import signals
from selfheal_jobs.check.signal_result import SignalFinding, unknown
from selfheal_jobs.check.signal_tables import SignalTables
from selfheal_jobs.errors import DataError
from selfheal_jobs.redaction import one_line, without_secrets
from selfheal_operator.api.reasons import Reason
from selfheal_operator.api.v1alpha1.signals import Signal, snake_case
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec

logger = logging.getLogger(__name__)


class SignalType(Protocol):
    """One type of signal."""

    def columns_needed(self, spec: ModelMonitorSpec) -> frozenset[str]:
        """Return the columns of reference and current data that are read only for such a signal."""

    def evaluate(self, signal: Signal, tables: SignalTables) -> SignalFinding:
        """Return the result of a signal; raise DataError if it is unknown."""


def type_of(signal: Signal) -> SignalType:
    """Return the type of a signal. Its module is imported here: most specs have few signals, or none."""
    found: SignalType = import_module(f"{signals.__name__}.{snake_case(signal.type)}").SIGNAL
    return found


def columns_for_signals(spec: ModelMonitorSpec) -> frozenset[str]:
    """Return the columns that are read only for signals."""
    return frozenset().union(*(type_of(signal).columns_needed(spec) for signal in spec.signals))


def evaluate_signals(tables: SignalTables) -> tuple[SignalFinding, ...]:
    """Return every signal's result, in the spec's order. Never raises."""
    return tuple(_evaluated(signal, tables) for signal in tables.spec.signals)


def _evaluated(signal: Signal, tables: SignalTables) -> SignalFinding:
    try:
        return type_of(signal).evaluate(signal, tables)
    except DataError as problem:
        return unknown(signal, problem)
    except Exception as error:  # noqa: BLE001  one signal's defect must not hide the others
        return unknown(signal, _defect(error))


def _defect(error: Exception) -> DataError:
    if isinstance(error, UnicodeDecodeError):  # Arrow does not validate that text is UTF-8
        return DataError(Reason.DATA_UNREADABLE, "There is text that is not UTF-8. Write the data anew.")
    logger.error("%s", without_secrets(traceback.format_exc()))
    message = f"It ended by a defect ({one_line(error)}); the Job's log holds the details."
    return DataError(Reason.CHECK_FAILED, message)
