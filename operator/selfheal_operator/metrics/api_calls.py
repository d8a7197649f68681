"""Names for a request to the API server: few, whatever the objects are called. Who sends it names it."""

from typing import Final, NamedTuple

NO_ANSWER: Final = "<error>"
"""Stands for the code where no answer came; client-go writes it so."""


class ApiCall(NamedTuple):
    """A request, as RBAC would name it."""

    verb: str
    resource: str
    """The plural, with the subresource if there is one: modelmonitors/status."""


OTHER: Final = ApiCall("other", "other")
"""What nobody has named."""
