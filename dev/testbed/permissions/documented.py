"""Writes the rights that the manifests give into docs/security.md: `make manifests` runs it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from testbed.install import MANIFESTS
from testbed.workspace import REPOSITORY

PAGE: Final = REPOSITORY / "docs" / "security.md"
_BASE: Final = "base"
_METRICS: Final = "metrics_authorization"
ROLES: Final = (
    ("The operator", "in the namespaces that it serves", _BASE, "operator_role.yaml", "selfheal-operator"),
    ("The operator", "in its own namespace", _BASE, "lease_role.yaml", "selfheal-operator"),
    ("The operator", "in its own namespace", _BASE, "images_role.yaml", "selfheal-operator-images"),
    ("A run's pod", "in the monitor's namespace", _BASE, "runner_role.yaml", "selfheal-runner"),
    ("Whoever has `view`, `edit` or `admin`", "in that namespace", _BASE, "user_roles.yaml", "selfheal-view"),
    ("Whoever has `edit` or `admin`", "in that namespace", _BASE, "user_roles.yaml", "selfheal-edit"),
    (
        "The operator, with [authorization of scrapers](#metrics)",
        "in the cluster",
        _METRICS,
        "operator_role.yaml",
        "selfheal-operator-metrics",
    ),
    ("The scraper, with it", "in the cluster", _METRICS, "reader_role.yaml", "selfheal-metrics-reader"),
)
"""Who has a role of the manifests, where, in which folder and file, and its name."""
_HEAD: Final = "| Who | Where | Resource | Verbs |\n|---|---|---|---|\n"
_MARKED: Final = re.compile(r"(<!-- rights: .*? -->\n\n).*?(\n<!-- end of rights -->)", re.DOTALL)


def rights() -> str:
    """Return the table of all rights, in Markdown."""
    return _HEAD + "".join(f"| {' | '.join(row)} |\n" for row in _rows())


def with_rights(page: str) -> str:
    """Return a page whose marked table is that of the manifests now."""
    return _MARKED.sub(lambda found: found[1] + rights() + found[2], page)


def _rows() -> Iterator[tuple[str, str, str, str]]:
    for who, where, folder, file, name in ROLES:
        for rule in _role(MANIFESTS / folder / file, name)["rules"]:
            yield who, where, _resources(rule), ", ".join(sorted(rule["verbs"]))


def _role(path: Path, name: str) -> dict[str, Any]:
    documents = yaml.safe_load_all(path.read_text())
    (role,) = (each for each in documents if each["metadata"]["name"] == name and "rules" in each)
    found: dict[str, Any] = role
    return found


def _resources(rule: dict[str, Any]) -> str:
    """Return the resources of a rule with their group, and the only objects that it is about; or its paths.

    >>> _resources({"apiGroups": ["batch"], "resources": ["jobs"]})
    '`jobs.batch`'
    >>> _resources({"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a", "b"]})
    '`secrets`: a, b'
    """
    if paths := rule.get("nonResourceURLs"):
        return ", ".join(f"`{each}`" for each in paths)
    (group,) = rule["apiGroups"]
    names = ", ".join(f"`{each}.{group}`" if group else f"`{each}`" for each in rule["resources"])
    return names + (": " + ", ".join(rule["resourceNames"]) if "resourceNames" in rule else "")


if __name__ == "__main__":
    PAGE.write_text(with_rights(PAGE.read_text()))
