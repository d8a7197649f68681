"""Errors that end a run early, classified by who must fix them.

* JobError
  * RequestError: the operator and the image are incompatible; users who read the status cannot fix this.
  * DataError: the user must fix the data or the spec. Becomes a report, never a stack trace.
  * TrackingError: the administrator of MLflow must act; a later run may succeed.
  * UndeliveredError: the administrator of the cluster must act; the report is in the termination message.
"""

from selfheal_operator.api.reasons import Reason


class JobError(Exception):
    """Ends a run, with a message for users."""


class RequestError(JobError):
    """The environment contains no request that this image supports."""


class DataError(JobError):
    """The run is impossible with this data: the message says what is wrong, where, and how to fix it."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class TrackingError(JobError):
    """MLflow cannot be reached, or rejects a request."""


class UndeliveredError(JobError):
    """The report could not be written to the monitor's status."""
