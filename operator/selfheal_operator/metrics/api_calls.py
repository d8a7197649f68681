"""Names for a request to the API server: few, whatever the objects are called."""

import re
from typing import Final, NamedTuple

_PATH: Final = re.compile(
    r"/(?:api|apis/[^/]+)/v[^/]+(?:/namespaces/[^/]+(?=/))?/(?P<resource>[a-z]+)"
    r"(?:/(?P<name>[^/]+)(?:/(?P<subresource>[a-z]+))?)?$"
)
_VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
NO_ANSWER: Final = "<error>"
"""Stands for the code where no answer came; client-go writes it so."""


class ApiCall(NamedTuple):
    """A request, as RBAC would name it."""

    verb: str
    resource: str
    """The plural, with the subresource if there is one: modelmonitors/status."""


def api_call(method: str, path: str, *, watch: bool = False) -> ApiCall:
    """Name a request. What the operator is not known to ask for is called other."""
    found = _PATH.search(path)  # a proxy may have put something before it
    if found is None:
        return ApiCall(_VERBS.get(method, "other"), "other")
    subresource = found["subresource"]
    resource = f"{found['resource']}/{subresource}" if subresource else found["resource"]
    if method == "GET":
        return ApiCall("get" if found["name"] else "watch" if watch else "list", resource)
    return ApiCall(_VERBS.get(method, "other"), resource)
