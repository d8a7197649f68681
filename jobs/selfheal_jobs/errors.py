"""What can end a run before its time, by who has to act.

* JobError
  * RequestError: nobody who reads the status can help; the operator and the image do not fit together.
  * DataError: the user must look at the data or the spec. Becomes a report, never a stack trace.
  * TrackingError: whoever runs MLflow must act; a later run may succeed.
  * UndeliveredError: whoever runs the cluster must act; the report is in the termination message.
"""

from selfheal_operator.api.reasons import Reason


class JobError(Exception):
    """Ends a run, with a sentence for people."""


class RequestError(JobError):
    """The environment does not hold a request that this image understands."""


class DataError(JobError):
    """The data does not allow the run: what is wrong, where, and what to do about it."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class TrackingError(JobError):
    """MLflow cannot be reached, or refuses."""


class UndeliveredError(JobError):
    """The report could not be written to the monitor's status."""
