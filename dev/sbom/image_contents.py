"""Which packages of an export of the lock file are installed in an image."""

from collections.abc import Mapping
from typing import Any, Final

from packaging.markers import Marker

Document = dict[str, Any]

IMAGE: Final[Mapping[str, str]] = {
    "python_version": "3.13",
    "python_full_version": "3.13.0",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "os_name": "posix",
    "sys_platform": "linux",
    "platform_system": "Linux",
}
"""The variables of environment markers in an image, whatever machine this runs on; see the Dockerfile."""
_MARKER: Final = "uv:package:marker"


def of_image(export: Document, name: str) -> Document:
    """Return an export that has only what is installed in the image of that name.

    Args:
        export: What `uv export --format cyclonedx1.5` prints: packages for all systems and Python versions.
        name: The image, which becomes the subject of the document.
    """
    components = [each for each in export["components"] if _is_installed(each)]
    subject = export["metadata"]["component"]
    refs = {subject["bom-ref"], *(each["bom-ref"] for each in components)}
    image = {"type": "container", "bom-ref": subject["bom-ref"], "name": name, "version": subject["version"]}
    return {
        **export,
        "metadata": {**export["metadata"], "component": image},
        "components": components,
        "dependencies": [_within(refs, each) for each in export["dependencies"] if each["ref"] in refs],
    }


def pins(document: Document) -> list[str]:
    """Return the packages of a document, as requirements."""
    return [f"{each['name']}=={each['version']}" for each in document["components"]]


def _is_installed(component: Document) -> bool:
    """Tell by the marker that uv notes.

    >>> _is_installed({"name": "numpy"})
    True
    >>> _is_installed({"properties": [{"name": "uv:package:marker", "value": "sys_platform == 'win32'"}]})
    False
    """
    markers = [each["value"] for each in component.get("properties", ()) if each["name"] == _MARKER]
    return all(Marker(each).evaluate(dict(IMAGE)) for each in markers)


def _within(refs: set[str], dependency: Document) -> Document:
    return {**dependency, "dependsOn": [each for each in dependency.get("dependsOn", ()) if each in refs]}
