"""Metric labels of requests to the API server, set by the caller; their number is bounded."""

from typing import Final, NamedTuple

NO_ANSWER: Final = "<error>"
"""The code if there was no response, as in client-go."""


class ApiCall(NamedTuple):
    """A request, by verb and resource as in RBAC rules."""

    verb: str
    resource: str
    """The plural, with the subresource if there is one: modelmonitors/status."""


OTHER: Final = ApiCall("other", "other")
"""Requests without labels of their own."""
