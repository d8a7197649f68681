"""What an image is made of and called: one version everywhere, and nothing that is not pinned."""

import re
import tomllib
from pathlib import Path
from typing import Final

import pytest

from sbom.image_contents import IMAGE
from selfheal_operator.api.names import RELEASE

ROOT: Final = Path(__file__).resolve().parents[2]
DOCKERFILE: Final = (ROOT / "Dockerfile").read_text()
NAMING: Final = (
    *(ROOT / "manifests").rglob("*.yaml"),
    *(ROOT / "manifests").rglob("*.env"),
    *(ROOT / "docs").glob("*.md"),
    ROOT / "README.md",
    ROOT / "dev" / "testbed" / "permissions" / "expected.yaml",
)


def test_the_version_is_that_of_the_package() -> None:
    """The operator's default image and the labels of the images say the same."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == RELEASE
    assert set(re.findall(r"^ARG VERSION=(.+)$", DOCKERFILE, re.MULTILINE)) == {RELEASE}


@pytest.mark.parametrize("path", NAMING, ids=lambda path: str(path.relative_to(ROOT)))
def test_our_images_are_named_by_this_version(path: Path) -> None:
    """A tag such as latest would be another image tomorrow."""
    tags = re.findall(r"selfheal-(?:operator|jobs):([\w.-]+)|newTag: (\S+)", path.read_text())
    assert {tag for pair in tags for tag in pair if tag} <= {RELEASE}


def test_a_package_is_installed_by_its_digest_only() -> None:
    """The package manager by those of its own file, and all others by those of the lock file."""
    (install,) = re.findall(r"pip install (.+)$", DOCKERFILE, re.MULTILINE)
    assert install.endswith(" --require-hashes -r uv-requirements.txt")
    syncs = re.findall(r"uv sync (.+)$", DOCKERFILE, re.MULTILINE)
    assert len(syncs) == 4
    assert all(each.startswith("--frozen --no-dev ") for each in syncs)
    pinned = [each for each in (ROOT / "uv-requirements.txt").read_text().splitlines() if each[0] != "#"]
    assert re.fullmatch(r"uv==[\d.]+ \\", pinned[0])
    assert all("--hash=sha256:" in each for each in pinned[1:])


def test_all_stages_have_one_base() -> None:
    """Which one is said once, and its Python is that of the documents of contents."""
    bases = re.findall(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, re.MULTILINE)
    stages = {stage for _, stage in bases}
    assert {base for base, _ in bases if base not in stages} == {"${PYTHON_IMAGE}"}
    assert f"\nARG PYTHON_IMAGE=python:{IMAGE['python_version']}-slim\n" in DOCKERFILE


@pytest.mark.parametrize("label", ["title", "description", "version", "revision", "base.name"])
def test_both_images_have_the_label(label: str) -> None:
    """By the names of the OCI image specification."""
    assert DOCKERFILE.count(f"org.opencontainers.image.{label}=") == 2
