"""Documents that nest deep in a chosen place, as text: no JSON library of Python writes as deep."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any, Final

from selfheal_operator.api.names import API_VERSION
from testbed.kubectl import Document

MARK: Final = "nested here"
"""Stands in a document where `with_nest` puts what nests deep."""


def parts_of(schema: Document, path: str = "") -> Iterator[tuple[str, Document]]:
    """Yield path and schema of each part, of an item of each list, and of a field that each object lacks."""
    for name, child in schema.get("properties", {}).items():
        yield from parts_of(child, f"{path}.{name}".lstrip("."))
    if "items" in schema:
        yield from parts_of(schema["items"], f"{path}[0]")
    if "properties" in schema or "additionalProperties" in schema:
        yield f"{path}.unheardOf".lstrip("."), {"type": "none"}
    yield path, schema


def placed(document: Document, path: str, value: Any = MARK) -> Any:
    """Return a copy with a value at a path; what is missing on the way is made."""
    root: list[Any] = [copy.deepcopy(document)]
    place: Any = root
    step: str | int = 0
    for following in re.findall(r"[^.\[\]]+", path):
        found = place[step]
        if not isinstance(found, list if following.isdigit() else dict):
            found = place[step] = [None] if following.isdigit() else {}
        place, step = found, int(following) if following.isdigit() else following
        if isinstance(place, dict):
            place.setdefault(step, None)
    place[step] = value
    return root[0]


def with_nest(text: str, depth: int, shape: str) -> str:
    """Return a document with what nests so deep in place of the mark: `lists`, or `objects`."""
    nest = "[" * depth + "]" * depth if shape == "lists" else '{"a":' * depth + "1" + "}" * depth
    return text.replace(f'"{MARK}"', nest)


def depth_of(text: str) -> int:
    """Return how deep a JSON text nests; brackets within its strings are left out."""
    depth = deepest = 0
    for bracket in re.sub(r"[^\[\]{}]", "", re.sub(r'"(\\.|[^"\\])*"', "", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def deep_managed_fields(manager: str, depth: int) -> str:
    """Return a merge patch which says that a field manager owns a field so deep: the API server stores it."""
    record = {
        "manager": manager,
        "operation": "Update",
        "apiVersion": API_VERSION,
        "time": "2026-11-23T12:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": MARK,
    }
    fields = '{"f:spec":' + '{"f:a":' * depth + "{}" + "}" * depth + "}"
    return json.dumps({"metadata": {"managedFields": [record]}}).replace(f'"{MARK}"', fields)
