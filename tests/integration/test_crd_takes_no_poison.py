"""No request stores an object that cannot be listed, whatever is nested however deep in whichever field.

One such object would end the lists and watches of all namespaces: those of the operator, of garbage
collection and of kubectl. The documents are written as text, since no JSON library of Python nests as deep.
"""

import copy
import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import yaml

from integration.test_crd_refusals import FULL_SPEC
from localcluster import LocalCluster
from selfheal_jobs.delivery.cluster_access import of_kubeconfig
from selfheal_operator.api.names import GROUP, KIND, PLURAL, VERSION
from support.eventually import eventually
from testbed.kubectl import Document, Kubectl

CRD: Final = Path(__file__).resolve().parents[2] / "crds" / "modelmonitors.selfheal.dev.yaml"
COLLECTION: Final = f"/apis/{GROUP}/{VERSION}/namespaces/poison/{PLURAL}"
MARK: Final = "nested here"
DEPTHS: Final = (1_200, 9_990)
"""Deeper than Python 3.11 reads by default, and as deep as the API server does: it refuses 10,000."""

SHAPES: Final = ("lists", "objects")
STORED_OR_REFUSED: Final = (200, 201, 400, 422)
"""400: with its way to the field, the document nests too deep for the API server."""

DEEPEST_READABLE: Final = 100
"""Far deeper than the CRD; a document that nests deeper was not pruned."""


def with_nest(text: str, depth: int, shape: str) -> str:
    """Return the document with what is nested so deep in place of the mark: of lists, or of objects."""
    nest = "[" * depth + "]" * depth if shape == "lists" else '{"a":' * depth + "1" + "}" * depth
    return text.replace(f'"{MARK}"', nest)


def paths(schema: Document, path: str = "") -> Iterator[str]:
    """Yield each part of a schema, one item of each list, and a field that each object lacks."""
    for name, child in schema.get("properties", {}).items():
        yield from paths(child, f"{path}.{name}".lstrip("."))
    if "items" in schema:
        yield from paths(schema["items"], f"{path}[0]")
    if "properties" in schema or "additionalProperties" in schema:
        yield f"{path}.unheardOf".lstrip(".")
    yield path


def schema_of(part: str) -> Document:
    """Return the CRD's schema of `spec` or `status`."""
    (version,) = yaml.safe_load(CRD.read_text())["spec"]["versions"]
    schema: Document = version["schema"]["openAPIV3Schema"]["properties"][part]
    return schema


METADATA: Final = (
    *("annotations", "annotations.a", "labels", "labels.a", "finalizers", "finalizers[0]"),
    *("ownerReferences", "ownerReferences[0]", "managedFields", "managedFields[0]", "unheardOf"),
)


class Server:
    """The API server, asked with documents that are text; no answer is read unless it has to be."""

    def __init__(self, kubeconfig: Path) -> None:
        access = of_kubeconfig(kubeconfig)
        assert access.context is not None
        host = urlsplit(access.url)
        self._connection = http.client.HTTPSConnection(
            str(host.hostname), host.port, context=access.context, timeout=60
        )

    def ask(
        self, method: str, path: str, body: str = "", content_type: str = "application/json"
    ) -> tuple[int, str]:
        """Return the status and the text of the answer."""
        self._connection.request(method, path, body or None, {"Content-Type": content_type})
        response = self._connection.getresponse()
        return response.status, response.read().decode()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@pytest.fixture(scope="module")
def server(cluster: LocalCluster) -> Iterator[Server]:
    """The API server with the CRD, and a namespace to poison."""
    kubectl = Kubectl(cluster.kubectl, cluster.kubeconfig, "default")
    kubectl("apply", "-f", str(CRD))
    kubectl("wait", "--for=condition=Established", "--timeout=20s", "-f", str(CRD))
    kubectl("create", "namespace", "poison")
    server = Server(cluster.kubeconfig)
    eventually(lambda: server.ask("GET", COLLECTION)[0] == 200, "the resource is served")
    yield server
    server.close()
    kubectl("delete", "namespace", "poison", "--wait=false")


def text_of(name: str, spec: Any, metadata: Document | None = None) -> str:
    """Return a monitor as JSON."""
    document = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "metadata": {**(metadata or {}), "name": name},
        "spec": spec,
    }
    return json.dumps(document)


def marked(document: Document, path: str) -> Any:
    """Return a copy with the mark at a path; what is missing on the way is made."""
    found: Any = None
    place: Any = [copy.deepcopy(document)]
    step: str | int = 0
    root = place
    for following in re.findall(r"[^.\[\]]+", path):
        found = place[step]
        if not isinstance(found, list if following.isdigit() else dict):
            found = place[step] = [None] if following.isdigit() else {}
        place, step = found, int(following) if following.isdigit() else following
        if isinstance(place, dict):
            place.setdefault(step, None)
    place[step] = MARK
    return root[0]


def depth_of(text: str) -> int:
    """Return how deep a JSON text nests; brackets within its strings are left out."""
    depth = deepest = 0
    for bracket in re.sub(r"[^\[\]{}]", "", re.sub(r'"(\\.|[^"\\])*"', "", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def assert_nothing_is_poisoned(server: Server) -> None:
    """List and watch everything; nothing that is stored nests deeper than the CRD."""
    everywhere = f"/apis/{GROUP}/{VERSION}/{PLURAL}"
    for path in (everywhere, f"{everywhere}?watch=true&timeoutSeconds=1&resourceVersion=0"):
        status, text = server.ask("GET", path)
        assert status == 200, path
        assert depth_of(text) < DEEPEST_READABLE, path


def remove_all(server: Server) -> None:
    """Remove what was stored, which a poisoned object would keep from working."""
    assert server.ask("DELETE", COLLECTION)[0] == 200
    assert json.loads(server.ask("GET", COLLECTION)[1])["items"] == []


@pytest.mark.parametrize("depth", DEPTHS)
def test_no_field_of_a_spec_stores_what_cannot_be_listed(server: Server, depth: int) -> None:
    """Nor one that the CRD does not have, at any place; nor the spec itself."""
    stored = 0
    for number, path in enumerate(paths(schema_of("spec"))):
        for shape in SHAPES:
            text = text_of(f"m{number}-{shape}", marked(FULL_SPEC, path))
            status, _ = server.ask("POST", COLLECTION, with_nest(text, depth, shape))
            assert status in STORED_OR_REFUSED, (path, shape)
            stored += status == 201
    assert stored  # the fields that the CRD lacks are pruned
    assert_nothing_is_poisoned(server)
    remove_all(server)


@pytest.mark.parametrize("depth", DEPTHS)
def test_no_field_of_the_metadata_stores_what_cannot_be_listed(server: Server, depth: int) -> None:
    """Some are pruned, too."""
    for number, path in enumerate(METADATA):
        for shape in SHAPES:
            text = text_of(f"m{number}-{shape}", FULL_SPEC, marked({}, path))
            status, _ = server.ask("POST", COLLECTION, with_nest(text, depth, shape))
            assert status in STORED_OR_REFUSED, (path, shape)
    assert_nothing_is_poisoned(server)
    remove_all(server)


def test_no_patch_stores_what_cannot_be_listed(server: Server) -> None:
    """Of the status, or of what the CRD lacks.

    Not of the greatest depth: for such a patch, of whatever resource, the API server takes minutes. Nor of
    managedFields, which it stores: tests/integration/test_forged_statuses.py has the operator read them.
    """
    assert server.ask("POST", COLLECTION, text_of("plain", FULL_SPEC))[0] == 201
    for path, document in (
        ("", {"spec": {"unheardOf": MARK}}),
        ("", {"spec": {"dataset": MARK}}),
        ("", {"metadata": {"unheardOf": MARK}}),
        ("/status", {"status": {"unheardOf": MARK}}),
        ("/status", {"status": {"lastCheck": MARK}}),
        ("/status", {"status": {"nextCheckTime": MARK}}),
    ):
        for shape in SHAPES:
            patch = with_nest(json.dumps(document), DEPTHS[0], shape)
            url = f"{COLLECTION}/plain{path}"
            status, _ = server.ask("PATCH", url, patch, "application/merge-patch+json")
            assert status in STORED_OR_REFUSED, (document, shape)
    assert_nothing_is_poisoned(server)
    remove_all(server)


@pytest.mark.parametrize("depth", DEPTHS)
def test_no_field_of_a_status_stores_what_cannot_be_listed(server: Server, depth: int) -> None:
    """Nor one that the CRD does not have."""
    assert server.ask("POST", COLLECTION, text_of("plain", FULL_SPEC))[0] == 201
    path = f"{COLLECTION}/plain"
    for field in paths(schema_of("status")):
        for shape in SHAPES:
            stored = json.loads(server.ask("GET", path)[1])
            body = json.dumps({**stored, "status": marked({}, field)})
            status, _ = server.ask("PUT", f"{path}/status", with_nest(body, depth, shape))
            assert status in STORED_OR_REFUSED, (field, shape)
    assert_nothing_is_poisoned(server)
    remove_all(server)
