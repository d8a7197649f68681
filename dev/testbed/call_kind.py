"""Kinds of an operator's calls to the API server."""

from enum import StrEnum


class CallKind(StrEnum):
    """The kind of call that a fault applies to."""

    CREATE_JOB = "create a Job"
    WRITE_STATUS = "write a status"
    WRITE = "any write"
    WRITE_BUT_LEASES = "any write but of a Lease"
    CALL = "any call"
