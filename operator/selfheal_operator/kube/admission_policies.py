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
_RESTRICTIONS: Final = ("namespaceSelector", "objectSelector", "resourceRules", "excludeResourceRules")
"""Fields of `matchResources` by which a binding leaves requests out. Empty ones leave out none."""


class AdmissionPolicies:
    """Reads the admission policies and their bindings."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def enforced(self) -> dict[str, bool]:
        """Return for each policy whether it is there, fails closed, and is bound so that requests are denied.

        Raises:
            RejectedError: This operator may not read them.
            UnavailableError: The API server did not answer.
        """
        return {name: await self._is_enforced(name) for name in POLICIES}

    async def _is_enforced(self, name: str) -> bool:
        try:
            policy = await self._get(_POLICIES, name)
            return fails_closed(policy) and denies(await self._get(_BINDINGS, name), name)
        except NotFoundError:
            return False

    async def _get(self, kind: Collection, name: str) -> dict[str, Any]:
        path = kind.path_of(EVERYWHERE, name)
        return await self._client.request("GET", path, call=kind.call("get"))


def fails_closed(policy: Mapping[str, Any]) -> bool:
    """Return whether an error refuses the request, and the policy needs no parameters.

    After a reinstallation an API server of Kubernetes 1.36 or before may find no parameters although they are
    there (kubernetes/kubernetes#130887), and nothing tells whether it does: such a policy does not count.
    """
    spec = policy["spec"]
    return spec.get("failurePolicy", "Fail") == "Fail" and "paramKind" not in spec


def denies(binding: Mapping[str, Any], policy: str) -> bool:
    """Return whether a binding applies the policy to all that it matches, and denies."""
    spec = binding["spec"]
    everywhere = not any(spec.get("matchResources", {}).get(part) for part in _RESTRICTIONS)
    return spec["policyName"] == policy and "Deny" in spec["validationActions"] and everywhere
