"""What a document of an image's contents holds."""

import re
from typing import Any

import pytest

from sbom.__main__ import exported
from sbom.image_contents import of_image, pins


def component(name: str, marker: str = "") -> dict[str, Any]:
    """Return a package as uv exports it."""
    properties = [{"name": "uv:package:marker", "value": marker}] if marker else []
    return {"bom-ref": name, "name": name, "version": "1", "properties": properties}


EXPORT: dict[str, Any] = {
    "metadata": {"component": {"bom-ref": "root", "type": "library", "name": "selfheal", "version": "9"}},
    "components": [
        component("any"),
        component("windows", "sys_platform == 'win32'"),
        component("old", "python_full_version < '3.12'"),
        component("new", "python_full_version >= '3.12'"),
    ],
    "dependencies": [
        {"ref": "root", "dependsOn": ["any", "windows", "old", "new"]},
        {"ref": "windows", "dependsOn": ["any"]},
        {"ref": "any"},
    ],
}


def test_what_is_for_another_system_or_python_is_left_out() -> None:
    """Neither as a package, nor as what another one depends on."""
    document = of_image(EXPORT, "selfheal-jobs")
    assert pins(document) == ["any==1", "new==1"]
    assert document["dependencies"] == [
        {"ref": "root", "dependsOn": ["any", "new"]},
        {"ref": "any", "dependsOn": []},
    ]


def test_its_subject_is_the_image() -> None:
    """Of the version that is built."""
    subject = of_image(EXPORT, "selfheal-jobs")["metadata"]["component"]
    assert subject == {"type": "container", "bom-ref": "root", "name": "selfheal-jobs", "version": "9"}


@pytest.mark.parametrize(
    ("extras", "has", "lacks"),
    [
        (["operator"], {"kopf", "msgspec"}, {"mlflow", "pytest", "lightgbm"}),
        (["jobs"], {"mlflow", "msgspec"}, {"kopf", "pytest", "lightgbm", "pywin32"}),
        (["jobs", "boosting"], {"mlflow", "lightgbm"}, {"kopf", "pytest"}),
    ],
)
def test_the_lock_file_gives_each_image_its_packages(
    extras: list[str], has: set[str], lacks: set[str]
) -> None:
    """One version of each, and none of those that only development needs."""
    document = of_image(exported(*extras), "image")
    names = [each["name"] for each in document["components"]]
    assert has <= set(names)
    assert not lacks & set(names)
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"pkg:pypi/[^@]+@.+", each["purl"]) for each in document["components"])
