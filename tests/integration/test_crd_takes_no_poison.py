"""No request stores an object that cannot be listed, whatever is nested however deep in whichever field.

One such object would end the lists and watches of all namespaces: those of the operator, of garbage
collection and of kubectl. The documents are written as text, since no JSON library of Python nests as deep.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from integration.test_crd_refusals import FULL_SPEC
from localcluster import LocalCluster
from selfheal_jobs.delivery.cluster_access import of_kubeconfig
from selfheal_operator.api.names import GROUP, KIND, PLURAL, VERSION
from support.eventually import eventually
from testbed.caller import MERGE, Caller
from testbed.kubectl import Document, Kubectl
from testbed.nested_documents import MARK, depth_of, parts_of, placed, with_nest

CRD: Final = Path(__file__).resolve().parents[2] / "crds" / "modelmonitors.selfheal.dev.yaml"
COLLECTION: Final = f"/apis/{GROUP}/{VERSION}/namespaces/poison/{PLURAL}"
DEPTHS: Final = (1_200, 9_990)
"""Deeper than Python 3.11 reads by default, and as deep as the API server does: it refuses 10,000."""

SHAPES: Final = ("lists", "objects")
STORED_OR_REFUSED: Final = (200, 201, 400, 422)
"""400: with its way to the field, the document nests too deep for the API server."""

DEEPEST_READABLE: Final = 100
"""Far deeper than the CRD; a document that nests deeper was not pruned."""


def schema_of(part: str) -> Document:
    """Return the CRD's schema of `spec` or `status`."""
    (version,) = yaml.safe_load(CRD.read_text())["spec"]["versions"]
    schema: Document = version["schema"]["openAPIV3Schema"]["properties"][part]
    return schema


METADATA: Final = (
    *("annotations", "annotations.a", "labels", "labels.a", "finalizers", "finalizers[0]"),
    *("ownerReferences", "ownerReferences[0]", "managedFields", "managedFields[0]", "unheardOf"),
)


@pytest.fixture(scope="module")
def server(cluster: LocalCluster) -> Iterator[Caller]:
    """The API server with the CRD, and a namespace to poison."""
    kubectl = Kubectl(cluster.kubectl, cluster.kubeconfig, "default")
    kubectl("apply", "-f", str(CRD))
    kubectl("wait", "--for=condition=Established", "--timeout=20s", "-f", str(CRD))
    kubectl("create", "namespace", "poison")
    access = of_kubeconfig(cluster.kubeconfig)
    assert access.context is not None
    server = Caller(access.url, access.context)
    eventually(lambda: server.ask("GET", COLLECTION).code == 200, "the resource is served")
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


def assert_nothing_is_poisoned(server: Caller) -> None:
    """List and watch everything; nothing that is stored nests deeper than the CRD."""
    everywhere = f"/apis/{GROUP}/{VERSION}/{PLURAL}"
    for path in (everywhere, f"{everywhere}?watch=true&timeoutSeconds=1&resourceVersion=0"):
        reply = server.ask("GET", path)
        assert reply.code == 200, path
        assert depth_of(reply.text) < DEEPEST_READABLE, path


def remove_all(server: Caller) -> None:
    """Remove what was stored, which a poisoned object would keep from working."""
    assert server.ask("DELETE", COLLECTION).code == 200
    assert json.loads(server.ask("GET", COLLECTION).text)["items"] == []


@pytest.mark.parametrize("depth", DEPTHS)
def test_no_field_of_a_spec_stores_what_cannot_be_listed(server: Caller, depth: int) -> None:
    """Nor one that the CRD does not have, at any place; nor the spec itself."""
    stored = 0
    for number, (path, _) in enumerate(parts_of(schema_of("spec"))):
        for shape in SHAPES:
            text = text_of(f"m{number}-{shape}", placed(FULL_SPEC, path))
            status = server.ask("POST", COLLECTION, with_nest(text, depth, shape)).code
            assert status in STORED_OR_REFUSED, (path, shape)
            stored += status == 201
    assert stored  # the fields that the CRD lacks are pruned
    assert_nothing_is_poisoned(server)
    remove_all(server)


@pytest.mark.parametrize("depth", DEPTHS)
def test_no_field_of_the_metadata_stores_what_cannot_be_listed(server: Caller, depth: int) -> None:
    """Some are pruned, too."""
    for number, path in enumerate(METADATA):
        for shape in SHAPES:
            text = text_of(f"m{number}-{shape}", FULL_SPEC, placed({}, path))
            status = server.ask("POST", COLLECTION, with_nest(text, depth, shape)).code
            assert status in STORED_OR_REFUSED, (path, shape)
    assert_nothing_is_poisoned(server)
    remove_all(server)


def test_no_patch_stores_what_cannot_be_listed(server: Caller) -> None:
    """Of the status, or of what the CRD lacks.

    Not of the greatest depth: for such a patch, of whatever resource, the API server takes minutes. Nor of
    managedFields, which it stores: tests/integration/test_forged_statuses.py has the operator read them.
    """
    assert server.ask("POST", COLLECTION, text_of("plain", FULL_SPEC)).code == 201
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
            status = server.ask("PATCH", url, patch, kind=MERGE).code
            assert status in STORED_OR_REFUSED, (document, shape)
    assert_nothing_is_poisoned(server)
    remove_all(server)


@pytest.mark.parametrize("depth", DEPTHS)
def test_no_field_of_a_status_stores_what_cannot_be_listed(server: Caller, depth: int) -> None:
    """Nor one that the CRD does not have."""
    assert server.ask("POST", COLLECTION, text_of("plain", FULL_SPEC)).code == 201
    path = f"{COLLECTION}/plain"
    for field, _ in parts_of(schema_of("status")):
        for shape in SHAPES:
            stored = json.loads(server.ask("GET", path).text)
            body = json.dumps({**stored, "status": placed({}, field)})
            status = server.ask("PUT", f"{path}/status", with_nest(body, depth, shape)).code
            assert status in STORED_OR_REFUSED, (field, shape)
    assert_nothing_is_poisoned(server)
    remove_all(server)
