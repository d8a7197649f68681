"""How the end-to-end test splits an image's name for kustomize."""

from pathlib import Path

import pytest
import yaml

from e2e.overlay import Images, write_overlay


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("operator", {"newName": "operator", "newTag": "latest"}),
        ("operator:1.2", {"newName": "operator", "newTag": "1.2"}),
        ("registry:5000/ml/operator", {"newName": "registry:5000/ml/operator", "newTag": "latest"}),
        ("registry:5000/ml/operator:1", {"newName": "registry:5000/ml/operator", "newTag": "1"}),
        ("ml/operator@sha256:ab", {"newName": "ml/operator", "digest": "sha256:ab"}),
    ],
)
def test_an_image_is_split_into_name_and_tag_or_digest(
    tmp_path: Path, image: str, parts: dict[str, str]
) -> None:
    """A colon before the last slash belongs to the registry's port."""
    folder = write_overlay(tmp_path, Images(operator=image))
    (written,) = yaml.safe_load((folder / "kustomization.yaml").read_text())["images"]
    assert written == {"name": "selfheal-operator", **parts}
