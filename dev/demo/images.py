"""The two images: as manifests/ name them, or as the user says that the cluster finds them."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import yaml

from selfheal_operator.api.names import JOBS_IMAGE, RELEASE

OPERATOR: Final = "selfheal-operator"
JOBS: Final = "selfheal-jobs"
"""Names in manifests/kustomization.yaml."""
DEFAULT_TAG: Final = "latest"
"""Of an image that is named without one, as container engines have it."""
_FIELDS: Final = "image_fields.yaml"
_RIGHT: Final = "jobs_image"


@dataclass(frozen=True)
class Images:
    """References that the nodes of the cluster can pull, or have."""

    operator: str = f"{OPERATOR}:{RELEASE}"
    jobs: str = JOBS_IMAGE

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read OPERATOR_IMAGE and JOBS_IMAGE."""
        named = {"operator": environment.get("OPERATOR_IMAGE"), "jobs": environment.get("JOBS_IMAGE")}
        return cls(**{name: value for name, value in named.items() if value})

    def write_overlay(self, folder: Path, manifests: Path) -> None:
        """Write a folder for `kubectl apply -k` that installs `manifests` with these images.

        `folder` and `manifests` have to be in one repository: kustomize takes relative paths only.
        """
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(manifests / _FIELDS, folder / _FIELDS)
        document = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [os.path.relpath(manifests, folder)],
            "images": [override(OPERATOR, self.operator), override(JOBS, self.jobs)],
            "configurations": [_FIELDS],
            "transformers": [os.path.relpath(manifests / _RIGHT, folder)],
        }
        (folder / "kustomization.yaml").write_text(yaml.safe_dump(document))


def override(name: str, image: str) -> dict[str, Any]:
    """Return kustomize's entry that puts `image` wherever `name` stands.

    >>> override("jobs", "registry.example.com:5000/team/jobs:v1")
    {'name': 'jobs', 'newName': 'registry.example.com:5000/team/jobs', 'newTag': 'v1'}
    """
    repository, _, digest = image.partition("@")
    if digest:
        return {"name": name, "newName": repository, "digest": digest}
    folder, slash, last = image.rpartition("/")
    last, _, tag = last.partition(":")
    return {"name": name, "newName": folder + slash + last, "newTag": tag or DEFAULT_TAG}
