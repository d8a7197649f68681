"""What can go wrong, by who has to act.

* SelfhealError
  * InvalidSpecError: the user must edit the resource; retrying is useless
  * RejectedError: the API server refuses what we ask for; the user or the platform team must act
  * UnavailableError: nobody must act; try again later
    * NotLeaderError: nobody must act; another operator does it
  * ConflictError: nobody must act; look again, then decide anew
"""


class SelfhealError(Exception):
    """Anything that selfheal itself has to say."""


class InvalidSpecError(SelfhealError):
    """A field of the spec has a value that cannot be acted upon.

    Args:
        field: The path of the field, for example `spec.schedule`.
        problem: What is wrong with it, and what to write instead.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


class RejectedError(SelfhealError):
    """The API server understood the request and refuses it: invalid, forbidden, or over a quota."""


class ConflictError(SelfhealError):
    """What we decided upon has changed in the meantime."""


class UnavailableError(SelfhealError):
    """The API server could not answer, or its answer was lost: the outcome is unknown.

    Args:
        message: What happened.
        retry_after_seconds: The least time that the server asks us to wait, if it says so.
    """

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class NotLeaderError(UnavailableError):
    """This operator does not lead, or no longer: nothing was sent."""
