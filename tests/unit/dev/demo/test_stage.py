"""What the demo puts into a real cluster."""

import base64
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from demo.datasets.tables import Tables
from demo.scenarios import FLIGHTS_AIRTIME, FLIGHTS_DELAY
from demo.stage import stage, stage_namespace


@pytest.fixture
def documents(tmp_path: Path) -> list[dict[str, Any]]:
    """The stage's documents, with tables of one row."""
    row = pd.DataFrame({"x": [1]})
    for scenario in (FLIGHTS_DELAY, FLIGHTS_AIRTIME):
        Tables(row, row, row).write(tmp_path / scenario.name)
    return stage("here", image="jobs:1", data=tmp_path)


def of_kind(documents: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Return the documents of one kind by their names."""
    return {each["metadata"]["name"]: each for each in documents if each["kind"] == kind}


def test_every_pod_keeps_to_the_restricted_profile(documents: list[dict[str, Any]]) -> None:
    """Each of the profile's demands is met, and the root file system is read-only besides."""
    for deployment in of_kind(documents, "Deployment").values():
        pod = deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert not container["securityContext"]["allowPrivilegeEscalation"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
    assert stage_namespace("here")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_all_that_is_mounted_is_there(documents: list[dict[str, Any]]) -> None:
    """Each ConfigMap that a pod mounts is one of the documents, and so is each folder that it needs."""
    maps = of_kind(documents, "ConfigMap")
    for deployment in of_kind(documents, "Deployment").values():
        pod = deployment["spec"]["template"]["spec"]
        volumes = {each["name"]: each for each in pod["volumes"]}
        assert {each["name"] for each in pod["containers"][0]["volumeMounts"]} == set(volumes)
        assert {each["configMap"]["name"] for each in volumes.values() if "configMap" in each} <= set(maps)


def test_the_tables_travel_as_they_are(documents: list[dict[str, Any]], tmp_path: Path) -> None:
    """Byte by byte, and the held-out rows stay at home."""
    carried = of_kind(documents, "ConfigMap")["flights-delay"]["binaryData"]

    assert set(carried) == {"reference.parquet", "current.parquet"}
    original = (tmp_path / "flights-delay" / "current.parquet").read_bytes()
    assert base64.b64decode(carried["current.parquet"]) == original
