"""Whose token it is, and whether they may read a path: the API server answers both.

This is delegated authentication and authorization, as aggregated API servers, controller-runtime and
kube-rbac-proxy use it: https://kubernetes.io/docs/reference/access-authn-authz/webhook/
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from selfheal_operator.kube.client import ApiClient
from selfheal_operator.kube.collection import Collection

REVIEW_SECONDS: Final = 3.0
"""The timeout of a review. Two of them end before a scrape does, by Prometheus' default of ten seconds."""
_TOKENS: Final = Collection("authentication.k8s.io/v1", "tokenreviews")
_RIGHTS: Final = Collection("authorization.k8s.io/v1", "subjectaccessreviews")


class Access(Enum):
    """What a token is good for."""

    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"
    """The API server knows its holder, who lacks the right."""
    UNAUTHENTICATED = "unauthenticated"
    """The API server does not accept the token."""


class AccessReviews:
    """Creates TokenReviews and SubjectAccessReviews."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def access(self, token: str, path: str) -> Access:
        """Return whether the token's holder may `get` the nonResourceURL `path`.

        Raises:
            RejectedError: The operator may not create reviews.
            UnavailableError: The API server did not answer.
        """
        review = await self._review(_TOKENS, "TokenReview", {"token": token})
        if not review.get("authenticated"):
            return Access.UNAUTHENTICATED
        spec = {**_subject(review["user"]), "nonResourceAttributes": {"path": path, "verb": "get"}}
        review = await self._review(_RIGHTS, "SubjectAccessReview", spec)
        return Access.ALLOWED if review.get("allowed") else Access.FORBIDDEN

    async def _review(self, kind: Collection, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        body = {"apiVersion": kind.group, "kind": name, "spec": spec}
        call = kind.call("create")
        answer = await self._client.request(
            "POST", kind.path(), body, timeout_seconds=REVIEW_SECONDS, call=call
        )
        status: dict[str, Any] = answer.get("status") or {}
        return status


def _subject(user: Mapping[str, Any]) -> dict[str, Any]:
    """Return a user of a TokenReview as a SubjectAccessReview names it.

    >>> _subject({"username": "jane", "groups": ["a"]})
    {'user': 'jane', 'groups': ['a']}
    """
    others = {part: user[part] for part in ("groups", "uid", "extra") if part in user}
    return {"user": user["username"], **others}
