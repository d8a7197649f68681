"""Documents that would end everybody's lists and watches: what nests deep, and what is long without end."""

import copy
import json
from collections.abc import Iterator
from typing import Any, Final

from selfheal_operator.api.names import API_VERSION, PLURAL
from selfheal_operator.crd import crd
from siege.attack import Attack, Seen, UntriedError
from siege.ground import HOME, Ground, passes
from siege.monitors import monitor
from testbed.caller import DRY, MERGE, Caller, collection
from testbed.kubectl import Document
from testbed.nested_documents import MARK, depth_of, parts_of, placed, with_nest

_DEEPEST: Final = 100
"""Far deeper than the CRD: what nests deeper was not pruned."""
_OPEN: Final[Document] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "opens.siege.dev"},
    "spec": {
        "group": "siege.dev",
        "scope": "Namespaced",
        "names": {"plural": "opens", "singular": "open", "kind": "Open", "listKind": "OpenList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                },
            }
        ],
    },
}


def _schema(part: str) -> Document:
    found: Document = crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"][part]
    return found


def _poisoned(ground: Ground, path: str) -> str:
    """Return what is wrong with the list and the watch of a kind of objects; nothing if they can be read."""
    for query in ("", "?watch=true&timeoutSeconds=1&resourceVersion=0"):
        reply = ground.admin.ask("GET", path + query)
        if not reply.taken or depth_of(reply.text) > _DEEPEST:
            return f"{reply} with a depth of {depth_of(reply.text)}"
    return ""


def _open_kind(ground: Ground) -> bool:
    """Show that the API server stores what nests deep where a CRD lets it, and that we would see it."""
    ground.apply(copy.deepcopy(_OPEN))
    path = f"/apis/siege.dev/v1/namespaces/{HOME}/opens"
    ground.wait(lambda: ground.admin.ask("GET", path).taken, "the open kind is served")
    document = {"apiVersion": "siege.dev/v1", "kind": "Open", "metadata": {"name": "a"}, "spec": MARK}
    passes(ground.admin.ask("POST", path, with_nest(json.dumps(document), 1_200, "objects")), "an open kind")
    if not _poisoned(ground, "/apis/siege.dev/v1/opens"):
        raise UntriedError("a stored document that nests deep was not seen")
    ground.admin.ask("DELETE", collection("customresourcedefinitions", "", "opens.siege.dev"))
    return True


def _ask_all(asker: Caller, path: str, texts: Iterator[str]) -> tuple[int, int, int]:
    """Send documents; return how many were stored, refused, and answered by an error of the server."""
    codes = [asker.ask("POST", path, text).code for text in texts]
    return sum(c < 300 for c in codes), sum(400 <= c < 500 for c in codes), sum(c >= 500 for c in codes)


def _nest(depth: int, shape: str, place: str) -> Attack:
    def texts() -> Iterator[str]:
        usual = monitor("poison", {"suspend": True})
        parts = [path for path, _ in parts_of(_schema("spec"))] if place == "spec" else _METADATA
        for number, path in enumerate(parts):
            usual["metadata"]["name"] = f"poison-{number}"
            usual["metadata"]["labels"] = {"siege": "poison"}
            yield with_nest(json.dumps(placed(usual, f"{place}.{path}".rstrip("."), MARK)), depth, shape)

    def do(ground: Ground) -> Seen:
        ground.once("open kind", _open_kind)
        stored, refused, failed = _ask_all(ground.tenant, collection(PLURAL, HOME), texts())
        wrong = _poisoned(ground, f"/apis/{API_VERSION}/{PLURAL}")
        ground.admin.ask("DELETE", collection(PLURAL, HOME) + "?labelSelector=siege%3Dpoison")
        got = (
            f"{stored} stored without it, {refused} refused, {failed} failed; {wrong or 'all can be listed'}"
        )
        return Seen(got, succeeded=bool(wrong) or failed > 0)

    return Attack(
        f"{shape} {depth:,} deep in every field of {place}", 1, "tenant", do, "0 failed; all can be listed"
    )


_METADATA: Final = [
    "annotations",
    "annotations.a",
    "labels.a",
    "finalizers[0]",
    "ownerReferences[0]",
    "unheardOf",
]


def _patched_status(ground: Ground) -> Seen:
    ground.once("open kind", _open_kind)
    document = monitor("patched", {"suspend": True})
    document["metadata"]["namespace"] = HOME
    ground.apply(document)
    path = collection(PLURAL, HOME, "patched", "status")
    passes(ground.admin.merge(path, {"status": {"missedChecks": 1}}), "a patch of the status")
    codes = []
    for field, _ in parts_of(_schema("status")):
        patch = with_nest(json.dumps({"status": placed({}, field, MARK)}), 1_200, "objects")
        codes.append(ground.operator.ask("PATCH", path, patch, kind=MERGE).code)
    wrong = _poisoned(ground, f"/apis/{API_VERSION}/{PLURAL}")
    failed = sum(code >= 500 for code in codes)
    return Seen(
        f"{len(codes)} patches, {failed} failed; {wrong or 'all can be listed'}",
        succeeded=bool(wrong or failed),
    )


def _example(schema: Document, number: int) -> Any:
    """Return a value that a part of the CRD is likely to take."""
    match schema.get("type"):
        case "object":
            needed = schema.get("required", [])
            return {name: _example(schema["properties"][name], number) for name in needed} or {"a": "b"}
        case "array":
            return [_example(schema["items"], number)]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
    return schema["enum"][0] if "enum" in schema else f"a{number}"


def _endless(kind: str) -> Attack:
    """Return the attack of a list, a text or a map without end, wherever the spec has one."""

    def long(schema: Document) -> Any:
        if kind == "array" and schema.get("type") == "array":
            return [_example(schema["items"], number) for number in range(20_000)]
        if kind == "string" and schema.get("type") == "string" and "enum" not in schema:
            return "a" * 1_000_000
        if kind == "map" and "additionalProperties" in schema:
            return {
                f"a{number}": _example(schema["additionalProperties"], number) for number in range(20_000)
            }
        return None

    def do(ground: Ground) -> Seen:
        path, said = collection(PLURAL, HOME) + DRY, []
        passes(ground.tenant.ask("POST", path, monitor("long")), "a usual spec")
        for field, schema in parts_of(_schema("spec")):
            if (value := long(schema)) is not None:
                reply = ground.tenant.ask("POST", path, placed(monitor("long"), f"spec.{field}", value))
                said.append((field, reply))
        if not said:
            raise UntriedError(f"the spec has no {kind}")
        taken = [field for field, reply in said if reply.taken]
        bounded = sum("at most" in r.text or "more than" in r.text or "Too" in r.text for _, r in said)
        got = f"{len(taken)} of {len(said)} stored {taken[:3]}; {bounded} refused for their length"
        return Seen(got, succeeded=bool(taken))

    return Attack(f"a {kind} without end in each field of a spec", 1, "tenant", do, "0 of")


def _cost_of_numbers(ground: Ground) -> Seen:
    path = collection(PLURAL, HOME) + DRY
    passes(ground.tenant.ask("POST", path, monitor("number")), "a usual spec")
    codes = []
    for field, value in (("threshold", "1e400"), ("intervalSeconds", str(2**70)), ("threshold", "-1")):
        text = json.dumps(placed(monitor("number"), f"spec.{field}", MARK)).replace(f'"{MARK}"', value)
        codes.append(ground.tenant.ask("POST", path, text).code)
    return Seen(f"answers {codes}", succeeded=any(code < 300 or code >= 500 for code in codes))


ATTACKS: Final = (
    *(_nest(depth, shape, "spec") for depth in (1_200, 9_990) for shape in ("lists", "objects")),
    *(_nest(depth, "objects", "metadata") for depth in (1_200, 9_990)),
    Attack("objects 1,200 deep in every field of a status", 1, "operator", _patched_status, "0 failed; all"),
    *(_endless(kind) for kind in ("array", "string", "map")),
    Attack("numbers beyond all bounds", 1, "tenant", _cost_of_numbers, "answers [4"),
)
