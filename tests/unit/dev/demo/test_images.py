"""How an image is named to kustomize."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from demo.images import Images, override
from selfheal_operator.api.names import JOBS_IMAGE


@pytest.mark.parametrize(
    ("image", "entry"),
    [
        ("jobs", {"newName": "jobs", "newTag": "latest"}),
        ("jobs:v1", {"newName": "jobs", "newTag": "v1"}),
        ("localhost:5000/jobs", {"newName": "localhost:5000/jobs", "newTag": "latest"}),
        ("localhost:5000/team/jobs:v1", {"newName": "localhost:5000/team/jobs", "newTag": "v1"}),
        ("ghcr.io/jobs@sha256:ab", {"newName": "ghcr.io/jobs", "digest": "sha256:ab"}),
    ],
)
def test_a_colon_is_a_tag_only_after_the_last_slash(image: str, entry: dict[str, Any]) -> None:
    """Before it, it is the registry's port."""
    assert override("x", image) == {"name": "x", **entry}


def test_an_empty_variable_means_the_default() -> None:
    """`make demo JOBS_IMAGE=` is not an image without a name."""
    images = Images.from_environment({"JOBS_IMAGE": "", "OPERATOR_IMAGE": "mine:1"})

    assert (images.operator, images.jobs) == ("mine:1", JOBS_IMAGE)


def test_the_overlay_builds_on_the_manifests_beside_it(tmp_path: Path) -> None:
    """All that kustomize takes is relative paths."""
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    (manifests / "image_fields.yaml").write_text("images: []")

    Images().write_overlay(tmp_path / ".demo" / "overlay", manifests)

    document = yaml.safe_load((tmp_path / ".demo" / "overlay" / "kustomization.yaml").read_text())
    assert document["resources"] == ["../../manifests"]
    assert document["transformers"] == ["../../manifests/jobs_image"]
