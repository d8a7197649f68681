"""Whether the admission policies of manifests/policies are enforced."""

from collections.abc import Mapping
from typing import Any, Final

from selfheal_operator.kube.client import ApiClient, NotFoundError
from selfheal_operator.kube.collection import EVERYWHERE, Collection

_GROUP: Final = "admissionregistration.k8s.io/v1"
_POLICIES: Final = Collection(_GROUP, "validatingadmissionpolicies")
_BINDINGS: Final = Collection(_GROUP, "validatingadmissionpolicybindings")
POLICIES: Final = ("selfheal-jobs", "selfheal-spec", "selfheal-status")
"""Their names; each has a binding of the same name."""


class AdmissionPolicies:
    """Reads the admission policies and their bindings."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def enforced(self) -> dict[str, bool]:
        """Return for each policy whether it is there, and bound so that requests are denied.

        Raises:
            RejectedError: This operator may not read them.
            UnavailableError: The API server did not answer.
        """
        return {name: await self._is_enforced(name) for name in POLICIES}

    async def _is_enforced(self, name: str) -> bool:
        try:
            await self._get(_POLICIES, name)
            return denies(await self._get(_BINDINGS, name), name)
        except NotFoundError:
            return False

    async def _get(self, kind: Collection, name: str) -> dict[str, Any]:
        path = kind.path_of(EVERYWHERE, name)
        return await self._client.request("GET", path, call=kind.call("get"))


def denies(binding: Mapping[str, Any], policy: str) -> bool:
    """Return whether a binding is one of the policy, and does more than warn or write to the audit log."""
    spec = binding["spec"]
    return spec["policyName"] == policy and "Deny" in spec["validationActions"]
