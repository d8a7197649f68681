"""A kustomization as a platform team writes it: selfheal's manifests, and the images of its own registry."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import yaml

MANIFESTS: Final = Path(__file__).resolve().parents[2] / "manifests"


@dataclass(frozen=True)
class Images:
    """The two images, as the cluster finds them."""

    operator: str = "selfheal-operator:latest"
    jobs: str = "selfheal-jobs:latest"

    @classmethod
    def from_environment(cls) -> Self:
        """Read OPERATOR_IMAGE and JOBS_IMAGE."""
        named = {"operator": os.environ.get("OPERATOR_IMAGE"), "jobs": os.environ.get("JOBS_IMAGE")}
        return cls(**{name: image for name, image in named.items() if image})


def write_overlay(folder: Path, images: Images) -> Path:
    """Write kustomization.yaml into an empty folder; `kubectl apply -k` takes the folder."""
    # kustomize takes no absolute paths.
    manifests = os.path.relpath(MANIFESTS.resolve(), folder.resolve())
    document: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [manifests],
        "images": [{"name": "selfheal-operator", **_parts(images.operator)}],
        "configMapGenerator": [
            {
                "name": "selfheal-operator",
                "namespace": "selfheal-system",
                "behavior": "merge",
                "literals": [f"SELFHEAL_JOBS_IMAGE={images.jobs}"],
            }
        ],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(document))
    return folder


def _parts(image: str) -> dict[str, str]:
    """Split an image as kustomize wants it; a colon before the last slash belongs to a port."""
    if "@" in image:
        name, digest = image.split("@", 1)
        return {"newName": name, "digest": digest}
    name, colon, tag = image.rpartition(":")
    if not colon or "/" in tag:
        return {"newName": image, "newTag": "latest"}
    return {"newName": name, "newTag": tag}
