"""What the API server refuses of a status: each bound is tried with a status that is full to all of them."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from kubernetes import client, config

from localcluster import LocalCluster
from selfheal_operator.api.names import GROUP, PLURAL, VERSION
from selfheal_operator.crd import TIME_PATTERN, crd
from support.eventually import eventually
from testbed.kubectl import Document, Kubectl, KubectlError

CRD: Final = Path(__file__).resolve().parents[2] / "crds" / "modelmonitors.selfheal.dev.yaml"
STATUS: Final[Document] = crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
MONITOR: Final[Document] = {
    "apiVersion": "selfheal.dev/v1alpha1",
    "kind": "ModelMonitor",
    "metadata": {"name": "full"},
    "spec": {
        "dataset": {"reference": {"uri": "/a"}, "current": {"uri": "/b"}},
        "target": "y",
        "threshold": 0.3,
        "schedule": "@daily",
    },
}


def fullest(schema: Document) -> Any:
    """Return a value that is as large as its schema allows."""
    match schema["type"]:
        case "object":
            return {name: fullest(child) for name, child in schema["properties"].items()}
        case "array":
            items = [fullest(schema["items"]) for _ in range(schema["maxItems"])]
            for key in schema.get("x-kubernetes-list-map-keys", ()):
                for number, item in enumerate(items):
                    item[key] = f"{number:02}" + item[key][2:]
            return items
        case "string":
            return _longest_text(schema)
        case "integer":
            return schema.get("maximum", 2**53)
        case "boolean":
            return True
    raise AssertionError(schema)


def _longest_text(schema: Document) -> str:
    if "enum" in schema:
        return str(schema["enum"][0])
    if schema.get("pattern") == TIME_PATTERN:
        return "2026-11-23T06:00:00.".ljust(schema["maxLength"] - 1, "0") + "Z"
    text = "a" * schema["maxLength"]
    return text if re.search(schema.get("pattern", ""), text) else "0.".ljust(schema["maxLength"], "1")


FULL: Final[Document] = fullest(STATUS)


Steps = tuple[str | int, ...]


def _spelt(path: Steps) -> str:
    return "status" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def _named(path: Steps, value: object) -> str:
    return f"{_spelt(path)}-{type(value).__name__}" + ("-pattern" if value == "no word" else "")


def _beyond(schema: Document, path: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """Yield the path of each bounded part, and a value that is just beyond its bound."""
    match schema["type"]:
        case "object":
            for name, child in schema["properties"].items():
                yield from _beyond(child, (*path, name))
        case "array":
            first = fullest(schema["items"])
            yield path, [*fullest(schema), first]
            yield from _beyond(schema["items"], (*path, 0))
        case "string" if "enum" in schema:
            yield path, "Other"
        case "string" if schema.get("pattern") == TIME_PATTERN:
            yield path, _longest_text(schema)[:-1] + "0Z"
        case "string":
            yield path, _longest_text(schema) + "1"
            if "pattern" in schema:
                yield path, "no word"
        case "integer" if "maximum" in schema:
            yield path, schema["maximum"] + 1


CASES: Final = [pytest.param(path, value, id=_named(path, value)) for path, value in _beyond(STATUS)]


@pytest.fixture(scope="module")
def complaints(cluster: LocalCluster) -> Iterator[Callable[[Document], list[str]]]:
    """Ask the API server what it says against a status; nothing if it takes it."""
    kubectl = Kubectl(cluster.kubectl, cluster.kubeconfig, "default")
    kubectl("apply", "-f", str(CRD))
    kubectl("wait", "--for=condition=Established", "--timeout=20s", "-f", str(CRD))
    eventually(lambda: _made(kubectl), "the monitor is made")
    connection = config.new_client_from_config(str(cluster.kubeconfig))
    api = client.CustomObjectsApi(connection)

    def ask(status: Document) -> list[str]:
        try:
            api.patch_namespaced_custom_object_status(
                *(GROUP, VERSION, "default", PLURAL, "full"), {"status": status}, dry_run="All"
            )
        except client.ApiException as refusal:
            return [cause["field"] for cause in json.loads(str(refusal.body))["details"]["causes"]]
        return []

    yield ask
    connection.close()
    kubectl("delete", "modelmonitor", "full")


def _made(kubectl: Kubectl) -> bool:
    try:
        kubectl.apply(MONITOR)
    except KubectlError:  # for a moment after it is established there is no such resource
        return False
    return True


def test_a_status_that_is_full_is_accepted_and_small(complaints: Callable[[Document], list[str]]) -> None:
    """As large as all bounds allow, a status is far from what etcd or a watch would suffer from."""
    assert complaints(FULL) == []
    assert len(json.dumps(FULL)) < 160 * 1024


@pytest.mark.parametrize(("path", "value"), CASES)
def test_a_status_beyond_a_bound_is_refused(
    complaints: Callable[[Document], list[str]], path: Steps, value: object
) -> None:
    """With the path of the field, and for this field alone."""
    status = copy.deepcopy(FULL)
    place: Any = status
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value

    fields = complaints(status)

    assert fields
    assert {field.split("[")[0] for field in fields} <= {_spelt(path).split("[")[0], "<nil>"}
