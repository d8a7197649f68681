"""Renders the list of all fields: `python -m selfheal_operator.reference > docs/...` (`make manifests`)."""

import sys
from collections.abc import Iterator
from typing import Any, Final

from selfheal_operator.api.names import API_VERSION, KIND
from selfheal_operator.crd import TIME_PATTERN, crd

_HEAD: Final = f"""\
<!-- Generated from operator/selfheal_operator/api by `make manifests`. Do not edit. -->
# {KIND}, field by field

The same is told by `kubectl explain modelmonitor.spec`, field by field.
[modelmonitor.md](modelmonitor.md) has examples, and says what the conditions, reasons and events mean.
"""

_TABLE: Final = "| Field | Type | Meaning |\n|---|---|---|\n"

_PARTS: Final = ("spec", "status")
_NAMES: Final = {"array": "list", TIME_PATTERN: "time"}
_LEAST: Final = {False: "at least", True: "more than"}
_MOST: Final = {False: "at most", True: "less than"}


def reference() -> str:
    """Return the document, in Markdown."""
    properties = crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    parts = (
        f"\n## {name}\n\n{_described(properties[name])}\n\n{_table(name, properties[name])}"
        for name in _PARTS
    )
    return f"{_HEAD}\n`apiVersion: {API_VERSION}`, `kind: {KIND}`.\n{''.join(parts)}"


def _table(name: str, schema: dict[str, Any]) -> str:
    return _TABLE + "".join(
        f"| `{path}` | {_type(field, required=required)} | {_described(field)} |\n"
        for path, field, required in _fields(schema, name)
    )


def _fields(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Yield path, schema and whether it must be there, of every field below."""
    for name, child in schema.get("properties", {}).items():
        below = f"{path}.{name}"
        yield below, child, name in schema.get("required", ())
        yield from _fields(child, below)
        yield from _fields(child.get("items", {}), f"{below}[]")


def _type(schema: dict[str, Any], *, required: bool) -> str:
    words = schema.get("enum", ())
    if "x-kubernetes-int-or-string" in schema:
        return "quantity"
    if "additionalProperties" in schema:
        return ", ".join(["map", *_limits(schema), *(["required"] if required else [])])
    kind = schema["type"]
    said = " or ".join(words) or _NAMES.get(schema.get("pattern", "")) or _NAMES.get(kind, kind)
    return ", ".join([said, *_limits(schema), *(["required"] if required else [])])


def _limits(schema: dict[str, Any]) -> Iterator[str]:
    if "minimum" in schema:
        yield f"{_LEAST[schema.get('exclusiveMinimum', False)]} {schema['minimum']}"
    if "maximum" in schema:
        yield f"{_MOST[schema.get('exclusiveMaximum', False)]} {schema['maximum']}"
    if "maxItems" in schema:
        yield f"at most {schema['maxItems']} items"
    if "maxProperties" in schema:
        yield f"at most {schema['maxProperties']} entries"


def _described(schema: dict[str, Any]) -> str:
    """Return the description as one line: a table's cell holds no more."""
    return " ".join(str(schema.get("description", "")).split()).replace("|", "\\|")


def main() -> None:
    """Write the document to standard output."""
    sys.stdout.write(reference())


if __name__ == "__main__":
    main()
