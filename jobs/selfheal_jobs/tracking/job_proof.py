"""Proves that a run or a model version in MLflow is of this Job, which tags alone do not.

Whoever may write to MLflow can set any tag. The proof is an HMAC-SHA256 whose key is the Job's UID: it is
random, the pods of the Job know it from their label, and it is never sent to MLflow. Each proof is for one
purpose and one object, so that copying it to another object proves nothing.
"""

import hmac
import json
import os
from collections.abc import Mapping
from typing import Final

from selfheal_operator.api.names import ENV_JOB_UID

TAG_PROOF: Final = "selfheal.proof"


def proof_tags(what: str, *parts: str) -> dict[str, str]:
    """Return the tag that proves something, or no tag if the Job's UID is not known: a run by hand has none.

    Args:
        what: What is proven, such as `decision`.
        parts: The values that must not change, and the id of the object that has the tag.
    """
    proof = _proof(what, *parts)
    return {} if proof is None else {TAG_PROOF: proof}


def is_proven(tags: Mapping[str, str], what: str, *parts: str) -> bool:
    """Return whether the tags have the proof that a pod of this Job has made for the same arguments."""
    proof = _proof(what, *parts)
    # As bytes, since strings are compared only if they are ASCII, which those of MLflow need not be.
    found = tags.get(TAG_PROOF, "").encode(errors="replace")
    return proof is not None and hmac.compare_digest(found, proof.encode())


def _proof(*parts: str) -> str | None:
    key = os.environ.get(ENV_JOB_UID)
    return hmac.digest(key.encode(), json.dumps(parts).encode(), "sha256").hex() if key else None
